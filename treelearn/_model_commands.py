"""The commands for a fitted tree: ``treelearn fit``, ``predict``, ``show`` and ``export``."""

import csv
import io
import json
import math
import warnings
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from ._files import check_writable, write_whole
from ._study_data import possible_tasks
from ._tables import (
    BUNDLED_SETS,
    enumerate_names,
    is_frame,
    read_frame,
    read_table,
    target_values,
    to_frame,
)
from ._terminal import console as new_console
from ._terminal import printable, say, short_errors
from .classifier import DecisionTreeClassifier
from .criteria import CLASSIFICATION_CRITERIA, REGRESSION_CRITERIA, parse_criterion
from .export import (
    VerificationError,
    explain_row,
    load_model,
    rules,
    to_c,
    to_dot,
    to_json,
    to_onnx,
    to_sql,
)
from .export._sql_dialects import DIALECTS
from .export.text import shown
from .model import Model
from .regressor import DecisionTreeRegressor

__all__ = ["add_to"]

_FORMATS = ("sql", "json", "c", "onnx", "dot", "text")
_ESTIMATORS = {"classification": DecisionTreeClassifier, "regression": DecisionTreeRegressor}

_DATA_HELP = f"A CSV or Parquet file, or one of scikit-learn's sets: {', '.join(BUNDLED_SETS)}."
_Model = Annotated[Path, typer.Argument(metavar="MODEL", help="A file that treelearn fit wrote.")]
_Digits = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        max=17,
        help="Significant digits of thresholds and numbers. By default all.",
        show_default=False,
    ),
]
_Force = Annotated[bool, typer.Option("--force", help="Replace a file that is there.")]


def add_to(app):
    """Add the commands to the program."""
    for command in (fit, predict, show, export):
        app.command()(command)


def fit(
    data: Annotated[str, typer.Argument(metavar="DATA", help=_DATA_HELP)],
    model: Annotated[
        Path,
        typer.Option(metavar="FILE", help="Where the model goes, as JSON.", show_default=False),
    ],
    target: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Column to predict. By default the one called target, else the last.",
            show_default=False,
        ),
    ] = None,
    criterion: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"Impurity. For classes: {', '.join(CLASSIFICATION_CRITERIA)}; for numbers: "
            f"{', '.join(REGRESSION_CRITERIA)}. The orders of renyi, renyi_mean and tsallis follow "
            "a colon: renyi:0.5. By default gini or squared_error.",
            show_default=False,
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="classification or regression, where the target leaves it open: whole numbers "
            "count as classes if there are few distinct ones.",
            show_default=False,
        ),
    ] = None,
    max_depth: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Largest depth. By default the tree grows until its leaves are pure.",
            show_default=False,
        ),
    ] = None,
    max_leaf_nodes: Annotated[
        int | None,
        typer.Option(metavar="N", help="Most leaves, grown best first.", show_default=False),
    ] = None,
    min_samples_leaf: Annotated[int, typer.Option(metavar="N", help="Fewest rows in a leaf.")] = 1,
    ccp_alpha: Annotated[
        float, typer.Option(metavar="X", help="Cost of a leaf in pruning; 0 does not prune.")
    ] = 0.0,
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Any other parameter of the estimator, as often as needed: "
            "--set class_weight=balanced --set min_impurity_decrease=0.001",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, max=2**32 - 1, help="Seed: the same one gives the same tree."
        ),
    ] = 0,
    jobs: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Threads. By default as many as the machine allows.",
            show_default=False,
        ),
    ] = None,
    force: _Force = False,
):
    """Fit a tree to a table and write it to a model file.

    The file is JSON. It holds the tree and how to read new tables: names of columns, categories
    and class labels. Text columns become categories, missing values stay missing.

    Examples: treelearn fit iris --model iris.json;
    treelearn fit prices.csv --target price --max-depth 6 --model prices.json
    """
    with short_errors():
        check_writable(model, force, "--model")
        _check_apart(model, "--model", data)
        given = {
            "max_depth": max_depth,
            "max_leaf_nodes": max_leaf_nodes,
            "min_samples_leaf": min_samples_leaf,
            "ccp_alpha": ccp_alpha,
            "random_state": seed,
            "n_jobs": jobs,
        }
        criterion_name, order = (None, None) if criterion is None else parse_criterion(criterion)
        table = read_table(data, target)
        y, is_missing = target_values(table.y)
        if not len(y):
            raise ValueError(f"The target {table.target!r} is missing in every row.")
        task = _checked_task(task or table.task or _task_of(criterion_name), criterion, y)
        estimator = _ESTIMATORS[task]()
        if criterion_name is not None:
            given["criterion"] = criterion_name
        if order is not None:
            given["order"] = order
        given |= _settings(parameters or [], estimator, y)
        estimator.set_params(**given)
        console = new_console()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fitted = Model.fit(
                estimator,
                table.X,
                y if not is_missing.any() else table.y,
                target=table.target,
                feature_names=table.feature_names,
            )
        write_whole(model, str(to_json(fitted)), force, "--model")
        notes = list(dict.fromkeys(str(warning.message) for warning in caught))
        if is_missing.any():
            notes.append(f"Rows without a target, left out: {is_missing.sum():,}.")
        for line in (*_heading(fitted, table, len(y)), *table.notes, *notes):
            say(console, line)
        rows = fitted.rows(table.X)[~is_missing]
        score = estimator.score(rows, y)
        measure = f"accuracy {100 * score:.1f} %" if task == "classification" else f"R2 {score:.3f}"
        say(
            console,
            f"On the rows it was fitted on: {measure}. New rows are harder: treelearn compare "
            "measures how much.",
        )
        say(console, f"Written: {model}")


def predict(
    model: _Model,
    data: Annotated[str, typer.Argument(metavar="DATA", help=_DATA_HELP)],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where the predictions go, as .csv or .parquet. By default CSV on standard "
            "output.",
            show_default=False,
        ),
    ] = None,
    proba: Annotated[
        bool, typer.Option("--proba", help="Also the probability of every class.")
    ] = False,
    unknown: Annotated[
        str,
        typer.Option(
            metavar="WHAT",
            help="What to do with categories that the training data did not have: error refuses "
            "them, missing takes them for missing values.",
        ),
    ] = "error",
    force: _Force = False,
):
    """Predict every row of a table.

    Columns are found by name, in any order; others are left alone, so that the target may be
    there or not. One line per row, in their order.

    Examples: treelearn predict prices.json new.csv;
    treelearn predict iris.json iris --proba --out predicted.csv
    """
    with short_errors():
        if out is not None:
            if out.suffix not in (".csv", ".parquet"):
                raise ValueError(f"--out {out} must end in .csv or .parquet.")
            check_writable(out, force)
            _check_apart(out, "--out", data, model)
        if unknown not in ("error", "missing"):
            raise ValueError(f"--unknown must be error or missing, not {unknown!r}.")
        fitted = load_model(model)
        try:
            rows = fitted.rows(_features(fitted, data), unknown)
        except ValueError as error:
            raise ValueError(
                str(error).replace("unknown='missing'", "--unknown missing")
            ) from error
        columns = _predictions(fitted, rows, proba)
        if out is None:
            typer.echo(_as_csv(columns), nl=False)
            return
        write_whole(out, _as_csv(columns) if out.suffix == ".csv" else _as_parquet(columns), force)
        say(new_console(), f"{_count(len(rows), 'row', 'rows')} predicted. Written: {out}")


def show(
    model: _Model,
    leaves: Annotated[
        int, typer.Option(metavar="N", min=0, help="Most rules to show, those of most rows first.")
    ] = 20,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DATA", help="Explain a row of this table, with --row.", show_default=False
        ),
    ] = None,
    row: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=0, help="Which row to explain, counted from 0.", show_default=False
        ),
    ] = None,
    digits: _Digits = None,
):
    """Show what a model predicts, its size and its rules in words.

    With --data and --row it shows the path of one row instead.

    Examples: treelearn show iris.json; treelearn show iris.json --data iris --row 70
    """
    with short_errors():
        if (data is None) != (row is None):
            raise ValueError("--data and --row go together: the table, and which row of it.")
        fitted = load_model(model)
        console = new_console()
        if data is not None:
            rows = fitted.rows(_features(fitted, data), "missing")
            if row >= len(rows):
                raise ValueError(f"{data} has {len(rows):,} rows, counted from 0: no row {row}.")
            say(console, explain_row(fitted, rows[row], digits=digits))
            return
        for line in _summary(fitted, model):
            say(console, line)
        lines = rules(fitted, digits=digits).splitlines()
        tree = fitted.estimator._tree
        sizes = tree.n_node_samples[tree.children_left == -1]
        largest = np.argsort(-sizes, kind="stable")[:leaves]
        if len(largest):
            say(console, "")
        for place in largest.tolist():
            say(console, lines[place])
        if len(largest) < len(lines):
            rest = len(lines) - len(largest)
            say(console, f"... and {rest:,} more rules; treelearn export --to text has all.")


def export(
    model: _Model,
    to: Annotated[
        str,
        typer.Option(
            metavar="FORMAT",
            help="sql, json, c, onnx, dot (for Graphviz) or text (rules in words).",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where it goes. By default standard output, but not for onnx.",
            show_default=False,
        ),
    ] = None,
    verify: Annotated[
        str | None,
        typer.Option(
            metavar="DATA",
            help="Run the export on the rows of this table, and next to thresholds and with "
            "missing values, and compare every prediction: in SQLite, DuckDB, a compiled C file or "
            "onnxruntime. Nothing is written if one differs.",
            show_default=False,
        ),
    ] = None,
    dialect: Annotated[
        str, typer.Option(metavar="NAME", help=f"Of sql: {', '.join(DIALECTS)}.")
    ] = "postgresql",
    table: Annotated[
        str, typer.Option(metavar="NAME", help="Of sql: the table to predict.")
    ] = "data",
    proba: Annotated[
        bool, typer.Option("--proba", help="Of sql: also the probability of every class.")
    ] = False,
    name: Annotated[
        str, typer.Option(metavar="NAME", help="Of c: what the names in the file begin with.")
    ] = "tree",
    digits: _Digits = None,
    force: _Force = False,
):
    """Write a model as SQL, C, ONNX, JSON, a graph or rules.

    SQL takes the table as it was fitted on, with its text columns; C and ONNX take numbers, with
    codes for categories (the C file has a function for them, the ONNX file lists them).

    Examples: treelearn export iris.json --to text;
    treelearn export prices.json --to sql --dialect duckdb --table houses --verify prices.csv
    """
    with short_errors():
        if to not in _FORMATS:
            raise ValueError(f"--to must be one of {', '.join(_FORMATS)}, not {to!r}.")
        if out is not None:
            check_writable(out, force)
            _check_apart(out, "--out", model, verify)
        elif to == "onnx":
            raise ValueError("onnx is no text: --out FILE says where it goes.")
        if verify is not None and to in ("dot", "text"):
            raise ValueError(f"{to} is for reading and cannot be run: --verify is for the others.")
        if verify is not None and to == "sql" and dialect == "postgresql":
            raise ValueError(
                "--verify runs sqlite and duckdb; for postgresql use verify(X, connection=...) of "
                "treelearn.export.to_sql in Python."
            )
        fitted = load_model(model)
        made = {
            "sql": lambda: to_sql(fitted, dialect, table=table, proba=proba),
            "json": lambda: to_json(fitted),
            "c": lambda: to_c(fitted, name),
            "onnx": lambda: to_onnx(fitted),
            "dot": lambda: to_dot(fitted, digits=digits) + "\n",
            "text": lambda: rules(fitted, digits=digits) + "\n",
        }[to]()
        if verify is not None:
            try:
                found = made.verify(_features(fitted, verify))
            except VerificationError as error:
                typer.echo(f"treelearn: {printable(str(error))}", err=True)
                raise typer.Exit(1) from None
            say(new_console(stderr=True), str(found))
        content = made if isinstance(made, str) else made.content
        if out is None:
            typer.echo(content, nl=False)
            return
        write_whole(out, content, force)
        say(new_console(), f"Written: {out}")


# -- parts ----------------------------------------------------------------------------------


def _check_apart(path, option, *sources):
    """Refuse, whatever --force says, to write over what is being read."""
    for source in sources:
        if source is not None and path.resolve() == Path(source).resolve():
            raise ValueError(f"{option} {path} is what is read: it would be lost.")


def _task_of(criterion):
    if criterion is None:
        return None
    return "classification" if criterion in CLASSIFICATION_CRITERIA else "regression"


def _checked_task(task, criterion, y):
    """Return the task, after making sure that it, the criterion and the target agree."""
    task = task or possible_tasks(y)[0]
    if task not in _ESTIMATORS:
        raise ValueError(f"--task must be classification or regression, not {task!r}.")
    if criterion is not None and _task_of(criterion.partition(":")[0]) != task:
        raise ValueError(f"{criterion} is no criterion for {task}.")
    if task == "regression" and y.dtype.kind in "SU":
        raise ValueError("The target holds text: no regression.")
    if task == "classification" and y.dtype.kind == "f" and (y != np.floor(y)).any():
        raise ValueError("The target holds numbers with fractions: no classification.")
    return task


def _settings(texts, estimator, y):
    """Return the parameters of ``--set NAME=VALUE``."""
    known = estimator.get_params(deep=False)
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--set {text}: NAME=VALUE is needed.")
        if name not in known:
            raise ValueError(
                f"--set {text}: {type(estimator).__name__} has no parameter {name!r}; it has "
                f"{', '.join(known)}."
            )
        found[name] = _value(value)
    weights = found.get("class_weight")
    if isinstance(weights, dict) and y.dtype.kind not in "SU":
        # The keys of JSON are text; labels are not.
        found["class_weight"] = {_value(label): weight for label, weight in weights.items()}
    return found


def _value(text):
    """Return what a value means: a number, a list or so as in JSON, none, else text."""
    if text.lower() in ("none", "null"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(value, float) and math.isnan(value) else value


def _features(model, data):
    """Return a table's features as `Model.rows` takes them."""
    frame = read_frame(data)
    if not len(frame):
        raise ValueError(f"{data} has no rows.")
    if is_frame(frame):
        return frame
    if frame.shape[1] != len(model.columns):
        raise ValueError(
            f"{data} has {frame.shape[1]} features; the model was fitted on {len(model.columns)}."
        )
    return frame


def _heading(model, table, n_rows):
    """Return the lines that say what was fitted."""
    estimator = model.estimator
    what = _count(len(model.classes[0]), "class", "classes") if model.is_classifier else "a number"
    rows, features = _count(n_rows, "row", "rows"), len(model.columns)
    yield (
        f"{table.name}: {rows}, {_count(features, 'feature', 'features')}; to predict: "
        f"{table.target!r}, {what}"
    )
    coded = [shown(column.name) for column in model.columns if column.kind == "category"]
    if coded:
        yield f"Text and categories became ordinal codes: {enumerate_names(coded)}."
    yield _size(estimator)


def _size(estimator):
    criterion = estimator.criterion
    if getattr(estimator, "order", None) is not None:
        row = CLASSIFICATION_CRITERIA.get(criterion)
        criterion += f":{estimator.order:g}" if row is not None and row.takes_order else ""
    leaves = _count(estimator.get_n_leaves(), "leaf", "leaves")
    levels = _count(estimator.get_depth(), "level", "levels")
    return f"A tree of {leaves}, {levels} deep, by {criterion}."


def _count(number, one, several):
    return f"{number:,} {one if number == 1 else several}"


def _summary(model, path):
    """Yield the lines of ``show`` before the rules."""
    estimator, tree = model.estimator, model.estimator._tree
    target = "" if model.target is None else f" {model.target!r}"
    if model.is_classifier:
        labels = enumerate_names([shown(str(label)) for label in model.classes[0].tolist()])
        what = f"{_count(len(model.classes[0]), 'class', 'classes')}: {labels}"
    else:
        what = "a number"
    yield f"{path} predicts{target}, {what}"
    rows = _count(int(tree.n_node_samples[0]), "row", "rows")
    yield f"{_size(estimator)} Fitted on {rows}."
    shares = tree.feature_importances()
    best = [j for j in np.argsort(-shares, kind="stable").tolist() if shares[j] > 0.0]
    named = []
    for j in best:
        column = model.columns[j]
        kind = "" if column.kind == "number" else f", {column.kind}"
        if column.kind == "category":
            kind = f", {_count(len(column.levels), 'category', 'categories')}"
        named.append(f"{shown(column.name)} ({100 * shares[j]:.1f} %{kind})")
    yield f"{len(best):,} of {len(model.columns):,} features take part, by share of the gain: " + (
        f"{enumerate_names(named)}." if named else "none."
    )


def _predictions(model, rows, proba):
    """Return the columns of the answer by name."""
    if proba and not model.is_classifier:
        raise ValueError("A regression tree has no class probabilities: leave out --proba.")
    columns = {"prediction": model.estimator.predict(rows, check_input=False).tolist()}
    if proba:
        shares = model.estimator.predict_proba(rows, check_input=False)
        for k, label in enumerate(model.classes[0].tolist()):
            columns[f"probability of {label}"] = shares[:, k].tolist()
    return columns


def _as_csv(columns):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


def _as_parquet(columns):
    content = io.BytesIO()
    to_frame(columns).to_parquet(content, index=False)
    return content.getvalue()
