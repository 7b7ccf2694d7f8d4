"""The command ``treelearn report``."""

from pathlib import Path
from typing import Annotated

import typer

from ._compare_command import check_page, command_line
from ._files import write_whole
from ._options import Criteria, Data, Folds, Force, MaxDepth, Seed, Target, Task
from ._tables import read_table, take_rows
from ._terminal import console, progress_bar, say, short_errors
from .criteria import parse_criterion
from .laboratory import compare_criteria
from .report import page_of_table, sample_rows

__all__ = ["report"]

_MOST_ROWS = 20_000
_ROWS_OF_FIVE_REPEATS = 2_000


def report(
    ctx: typer.Context,
    data: Data,
    target: Target = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The page. By default the name of the table with -report.html, in this folder.",
            show_default=False,
        ),
    ] = None,
    criteria: Criteria = None,
    task: Task = None,
    max_depth: MaxDepth = None,
    ccp_alpha: Annotated[
        float | None,
        typer.Option(
            metavar="A",
            min=0,
            help="How much to prune the tree of the page; 0 shows it whole. By default as a "
            "quarter of the rows, held out, says.",
            show_default=False,
        ),
    ] = None,
    seed: Seed = 0,
    jobs: Folds = None,
    force: Force = False,
):
    """Write a page on a table: which impurity, which tree.

    One HTML file that opens offline. It shows the comparison of the criteria with
    intervals, score against order, the fitted tree to walk through, its leaves, the pruning
    curve, the features and how to repeat it. Of large tables the criteria are compared on some
    rows drawn at random, and the page says so; the tree is grown on all rows.

    Examples: treelearn report iris; treelearn report customers.csv --target churned
    """
    with short_errors():
        for name in criteria or []:
            parse_criterion(name)
        if out is None:
            out = Path(f"{Path(data).name.partition('.')[0]}-report.html")
        check_page(out, force, "--out")
        table = read_table(data, target)
        rows = sample_rows(len(table.y), table.X.shape[1], _MOST_ROWS, seed)
        with progress_bar(table.name) as progress:
            result = compare_criteria(
                *(take_rows(table.X, rows), take_rows(table.y, rows), criteria),
                n_repeats=5 if len(rows) <= _ROWS_OF_FIVE_REPEATS else 1,
                max_depth=max_depth,
                random_state=seed,
                n_jobs=jobs,
                task=task or table.task,
                progress=progress,
            )
        result.notes[:0] = table.notes
        page = page_of_table(
            *(table, table.X, table.y, result),
            command=command_line(ctx),
            seed=seed,
            max_depth=max_depth,
            ccp_alpha=ccp_alpha,
            n_jobs=jobs,
        )
        write_whole(out, page, force)
        on = console()
        say(on, result.summary)
        say(on, f"The page is {out} ({len(page) / 1e6:.1f} MB).")
