"""The commands that read a model file: ``treelearn predict``, ``show`` and ``export``."""

import csv
import io
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from ._files import check_apart, check_writable, write_whole
from ._model_words import count, summary
from ._options import Data, Digits, Force, ModelFile
from ._tables import is_frame, read_frame, to_frame
from ._terminal import console as new_console
from ._terminal import printable, say, short_errors
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

__all__ = ["export", "predict", "show"]

_FORMATS = ("sql", "json", "c", "onnx", "dot", "text")


def predict(
    model: ModelFile,
    data: Data,
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
    force: Force = False,
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
            check_apart(out, "--out", data, model)
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
        say(new_console(), f"{count(len(rows), 'row', 'rows')} predicted. Written: {out}")


def show(
    model: ModelFile,
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
    digits: Digits = None,
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
        for line in summary(fitted, model):
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
    model: ModelFile,
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
    digits: Digits = None,
    force: Force = False,
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
            check_apart(out, "--out", model, verify)
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
