"""The command ``treelearn fit``."""

import json
import math
import warnings
from pathlib import Path
from typing import Annotated

import typer

from ._files import check_apart, check_writable, write_whole
from ._model_words import heading
from ._options import CLASS_NAMES, NUMBER_NAMES, Data, Force, Seed, Target, Task
from ._scores import ESTIMATORS
from ._study_data import checked_task, parsed_criteria
from ._tables import read_table, target_values
from ._terminal import console as new_console
from ._terminal import say, short_errors
from .export import to_json
from .model import Model

__all__ = ["fit"]


def fit(
    data: Data,
    model: Annotated[
        Path,
        typer.Option(metavar="FILE", help="Where the model goes, as JSON.", show_default=False),
    ],
    target: Target = None,
    criterion: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"Impurity. For classes: {CLASS_NAMES}; for numbers: {NUMBER_NAMES}. The orders "
            "of renyi, renyi_mean and tsallis follow a colon: renyi:0.5. By default gini or "
            "squared_error.",
            show_default=False,
        ),
    ] = None,
    task: Task = None,
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
    seed: Seed = 0,
    jobs: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Threads. By default as many as the machine allows.",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
):
    """Fit a tree to a table and write it to a model file.

    The file is JSON. It holds the tree and how to read new tables: names of columns, categories
    and class labels. Text columns become categories, missing values stay missing.

    Examples: treelearn fit iris --model iris.json;
    treelearn fit prices.csv --target price --max-depth 6 --model prices.json
    """
    with short_errors():
        check_writable(model, force, "--model")
        check_apart(model, "--model", data)
        given = {
            "max_depth": max_depth,
            "max_leaf_nodes": max_leaf_nodes,
            "min_samples_leaf": min_samples_leaf,
            "ccp_alpha": ccp_alpha,
            "random_state": seed,
            "n_jobs": jobs,
        }
        specs = parsed_criteria(criterion)
        table = read_table(data, target)
        y, is_missing = target_values(table.y)
        if not len(y):
            raise ValueError(f"The target {table.target!r} is missing in every row.")
        task = checked_task(y, specs, task or table.task, [])
        estimator = ESTIMATORS[task]()
        for _, name, order in specs:
            given |= {"criterion": name} if order is None else {"criterion": name, "order": order}
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
        for line in (*heading(fitted, table, len(y)), *table.notes, *notes):
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
