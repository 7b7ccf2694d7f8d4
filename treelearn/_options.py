"""The arguments and options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

from ._tables import BUNDLED_SETS
from .criteria import CLASSIFICATION_CRITERIA, REGRESSION_CRITERIA
from .laboratory import DEFAULT_CRITERIA

__all__ = [
    "CLASS_NAMES",
    "NUMBER_NAMES",
    "SETS",
    "Criteria",
    "Data",
    "Digits",
    "Folds",
    "Force",
    "MaxDepth",
    "ModelFile",
    "Seed",
    "Target",
    "Task",
]

SETS = ", ".join(BUNDLED_SETS)
CLASS_NAMES = ", ".join(CLASSIFICATION_CRITERIA)
NUMBER_NAMES = ", ".join(REGRESSION_CRITERIA)

Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA", help=f"A CSV or Parquet file, or one of scikit-learn's sets: {SETS}."
    ),
]
Target = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Column to predict. By default the one called target, else the last.",
        show_default=False,
    ),
]
Criteria = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME...",
        help=f"Criteria to compare. For classes: {CLASS_NAMES}; for numbers: {NUMBER_NAMES}. The "
        "orders of renyi, renyi_mean and tsallis follow a colon. By default "
        f"{' '.join(DEFAULT_CRITERIA['classification'])}, or all those for numbers.",
        show_default=False,
    ),
]
Task = Annotated[
    str | None,
    typer.Option(
        metavar="KIND",
        help="classification or regression, where the target leaves it open: whole numbers count "
        "as classes if there are few distinct ones.",
        show_default=False,
    ),
]
MaxDepth = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Largest depth of the trees. By default they grow until their leaves are pure.",
        show_default=False,
    ),
]
Seed = Annotated[
    int,
    typer.Option(
        metavar="N", min=0, max=2**32 - 1, help="Seed: the same one gives the same result."
    ),
]
Folds = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Folds side by side, each in a process of its own; -1: as many as there are "
        "processors. By default one fit after the other with all threads, so that times can be "
        "compared.",
        show_default=False,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace files that are there.")]
ModelFile = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A file that treelearn fit wrote.")
]
Digits = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        max=17,
        help="Significant digits of thresholds and numbers. By default all.",
        show_default=False,
    ),
]
