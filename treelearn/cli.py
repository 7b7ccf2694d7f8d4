"""The command line: ``treelearn compare``.

Results go to standard output; progress, only on a terminal, and errors to standard error.  Bad
input ends in one line and exit status 2, Ctrl-C in exit status 130.
"""

import csv
import io
import json
import math
import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as TextTable
from typer.core import TyperCommand

from ._scores import METRICS
from ._tables import BUNDLED_SETS, read_table
from ._version import __version__
from .criteria import CLASSIFICATION_CRITERIA, REGRESSION_CRITERIA, parse_criterion
from .laboratory import DEFAULT_CRITERIA, compare_criteria

__all__ = ["app", "main"]

_SETS_WITHOUT_DATA = ("iris", "wine", "breast_cancer", "digits")
_TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".gz", ".parquet", ".pq")
_WIDTH_OF_PIPES = 120
_HEADINGS = {
    "accuracy": "accuracy\n%",
    "balanced_accuracy": "balanced\nacc. %",
    "log_loss_bits": "log-loss\nbits",
    "calibration_error": "calibr.\nerror %",
    "brier": "Brier",
    "n_leaves": "leaves",
    "r2": "R2",
    "rmse": "RMSE",
    "mae": "MAE",
}

app = typer.Typer(
    name="treelearn",
    help="Exact decision trees with every impurity.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Without frames the text has the room it needs in 80 columns.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main():
    """Run the command line and exit."""
    # Names in the data may hold characters that the terminal or pipe cannot show.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    app()


class _CompareCommand(TyperCommand):
    """The command with ``--criteria`` taking all the names that follow it."""

    def parse_args(self, ctx, args):
        return super().parse_args(ctx, _repeat_option(args, "--criteria"))


def _repeat_option(args, option):
    """Turn ``--option a b,c`` into ``--option a --option b --option c``.

    The values end at the next option and at what names a table.
    """
    repeated = []
    args = list(args)
    while args:
        arg = args.pop(0)
        if arg == "--":
            return [*repeated, arg, *args]
        if arg != option and not arg.startswith(f"{option}="):
            repeated.append(arg)
            continue
        values = arg[len(option) + 1 :].split(",")
        while args and not args[0].startswith("-") and not _names_a_table(args[0]):
            values += args.pop(0).split(",")
        # An option without a value stays, to be refused.
        pairs = [[option, value] for value in values if value] or [[option]]
        repeated += sum(pairs, [])
    return repeated


def _names_a_table(text):
    return text in BUNDLED_SETS or text.lower().endswith(_TABLE_SUFFIXES)


def _print_version(is_wanted: bool):
    if is_wanted:
        typer.echo(f"treelearn {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
):
    pass


@app.command(cls=_CompareCommand)
def compare(
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA",
            help="A CSV or Parquet file, or one of scikit-learn's sets: "
            f"{', '.join(BUNDLED_SETS)}. Without it: {', '.join(_SETS_WITHOUT_DATA)}.",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Column to predict. By default the one called target, else the last.",
            show_default=False,
        ),
    ] = None,
    criteria: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME...",
            help=f"Criteria to compare. For classes: {', '.join(CLASSIFICATION_CRITERIA)}; for "
            f"numbers: {', '.join(REGRESSION_CRITERIA)}. The orders of renyi, renyi_mean and "
            "tsallis follow a colon. By default "
            f"{' '.join(DEFAULT_CRITERIA['classification'])}, or all those for numbers.",
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
            min=1,
            help="Largest depth of the trees. By default they grow until their leaves are pure.",
            show_default=False,
        ),
    ] = None,
    cv: Annotated[int, typer.Option(metavar="N", min=2, help="Folds of one cross-validation.")] = 5,
    repeats: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="How often the cross-validation is repeated with new folds. By default 10 times, "
            "and less often above 10,000 rows.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, max=2**32 - 1, help="Seed: the same one gives the same result."
        ),
    ] = 0,
    jobs: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Threads of each fit. By default as many as the machine allows.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write the table as .csv, or everything, down to the single folds, as .json.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Let --out replace a file.")] = False,
):
    """Compare impurities on a table by repeated cross-validation.

    Grows a tree with every criterion on the same folds and shows how good the trees are, how
    large, and whether the differences are more than noise. Text columns become ordinal codes;
    missing values stay missing.

    Examples: treelearn compare; treelearn compare iris --criteria gini renyi:0.5;
    treelearn compare prices.csv --target price --max-depth 6 --out prices.json
    """
    with _short_errors():
        for name in criteria or []:
            parse_criterion(name)
        if data is None and target is not None:
            raise ValueError("--target needs a file to take the column from.")
        if out is not None:
            _check_writable(out, force)
        console = _console()
        results = []
        for source in _SETS_WITHOUT_DATA if data is None else (data,):
            table = read_table(source, target)
            with _progress_bar(table.name) as progress:
                result = compare_criteria(
                    table.X,
                    table.y,
                    criteria,
                    cv=cv,
                    n_repeats=repeats,
                    max_depth=max_depth,
                    random_state=seed,
                    n_jobs=jobs,
                    task=task or table.task,
                    progress=progress,
                )
            result.notes[:0] = table.notes
            _show(console, table, result)
            results.append((table, result))
        if len(results) > 1:
            _say(console, _ties_of_all([result for _, result in results]))
        if out is not None:
            settings = {"seed": seed, "max_depth": max_depth}
            is_json = out.suffix == ".json"
            _write(out, _as_json(results, settings) if is_json else _as_csv(results), force)


@contextmanager
def _short_errors():
    """End in one line and an exit status, not in a traceback."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("treelearn: stopped by Ctrl-C.", err=True)
        raise typer.Exit(130) from None
    except OSError as error:
        text = f"{error.filename}: {error.strerror}" if error.strerror else str(error)
    except MemoryError as error:
        text = f"Not enough memory. {error}"
    except (ValueError, ImportError) as error:
        text = str(error)
    else:
        return
    typer.echo(f"treelearn: {_printable(text)}", err=True)
    raise typer.Exit(2)


@contextmanager
def _progress_bar(name):
    """Yield the function to call after every fit, None where there is no terminal to draw on."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("fits"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as bar:
        fits = bar.add_task(_printable(name), total=None)
        yield lambda n_done, n_fits: bar.update(fits, completed=n_done, total=n_fits)


def _console():
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        # Nothing folds lines in a file or pipe.
        console.width = max(console.width, _WIDTH_OF_PIPES)
    return console


def _printable(text):
    """Replace what would steer the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _say(console, text):
    console.print(_printable(text), soft_wrap=not console.is_terminal)


def _show(console, table, result):
    """Print the heading, the table, the summary and the notes of one result."""
    is_classes = result.task == "classification"
    kind = f"{result.n_classes} classes" if is_classes else "a number"
    _say(
        console,
        f"{table.name}: {result.n_samples:,} rows, {result.n_features:,} features; to predict: "
        f"{table.target!r}, {kind}",
    )
    for note in result.notes:
        _say(console, note)
    text_table, has_spread = _fitting_table(console, result)
    console.print(text_table)
    legend = "Mean ± standard deviation" if has_spread else "Mean"
    legend += f" over {result.n_repeats} x {result.cv} folds"
    if any(_losers(result).values()):
        legend += "; *: worse than the best of the column by more than noise"
    _say(console, f"{legend}.")
    _say(console, f"{result.summary}\n")


def _fitting_table(console, result):
    """Return the table with as much in it as the console is wide, and whether spreads are."""
    for has_spread, is_whole, padding in (
        (True, True, 1),
        (True, True, 0),
        (False, True, 0),
        (False, False, 0),
    ):
        text_table = _text_table(result, has_spread, is_whole, padding)
        wanted = console.measure(text_table, options=console.options.update(max_width=10_000))
        if wanted.maximum <= console.width:
            break
    return text_table, has_spread


def _text_table(result, has_spread, is_whole, padding):
    losers = _losers(result)
    columns = {}
    for metric in METRICS[result.task]:
        scale = 100 if metric.unit == "%" else 1
        means = [scale * row[metric.key] for row in result.rows]
        spreads = [scale * row[f"{metric.key}_sd"] for row in result.rows]
        digits = _decimals(spreads)
        cells = [f"{mean:.{digits}f}" for mean in means]
        if has_spread:
            spreads = [f"{spread:.{digits}f}" for spread in spreads]
            cells = [f"{cell}±{spread}" for cell, spread in zip(cells, spreads, strict=True)]
        if losers[metric.key]:
            marks = ["*" if row["criterion"] in losers[metric.key] else " " for row in result.rows]
            cells = [cell + mark for cell, mark in zip(cells, marks, strict=True)]
        columns[_HEADINGS[metric.key]] = cells
    if is_whole:
        columns["depth"] = [f"{row['depth']:.1f}" for row in result.rows]
        columns["fit\nms"] = [f"{1000 * row['fit_seconds']:.1f}" for row in result.rows]
    text_table = TextTable(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, padding)
    )
    text_table.add_column("criterion", no_wrap=True)
    for heading in columns:
        text_table.add_column(heading, justify="right", no_wrap=True)
    for row, *cells in zip(result.rows, *columns.values(), strict=True):
        text_table.add_row(row["criterion"], *cells)
    return text_table


def _losers(result):
    """Return, by metric, the criteria that differ from the best one by more than noise."""
    losers = {}
    for metric in METRICS[result.task]:
        best = result.best(metric)
        losers[metric.key] = {
            name
            for pair in result.comparisons
            if pair["metric"] == metric.key and not pair["is_tie"]
            for name in (pair["first"], pair["second"])
            if best in (pair["first"], pair["second"]) and name != best
        }
    return losers


def _decimals(spreads):
    """Return how many decimals give the middle spread two digits, at most four."""
    middle = sorted(spreads)[len(spreads) // 2]
    return min(4, max(0, 1 - math.floor(math.log10(middle)))) if middle > 0 else 1


def _ties_of_all(results):
    """Say in one sentence on how many tables all criteria tie."""
    parts = []
    for metric in METRICS[results[0].task]:
        n_tied = sum(
            all(row["is_tie"] for row in result.comparisons if row["metric"] == metric.key)
            for result in results
        )
        parts.append(f"{metric.label} {n_tied}")
    return f"Of {len(results)} sets, on how many all criteria tie: {', '.join(parts)}."


def _check_writable(path, force):
    """Refuse a file that could not be written, before any work is done."""
    if path.suffix not in (".csv", ".json"):
        raise ValueError(f"--out {path} must end in .csv or .json.")
    _check_absent(path, force)
    if not path.parent.is_dir():
        raise ValueError(f"--out {path}: there is no folder {path.parent}.")
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise ValueError(f"--out {path}: cannot write there ({error.strerror}).") from error


def _check_absent(path, force):
    if path.is_dir():
        raise ValueError(f"--out {path} is a folder.")
    if path.exists() and not force:
        raise ValueError(f"--out {path} exists; --force replaces it.")


def _write(path, text, force):
    """Write a file whole or not at all: beside its place first, then moved there."""
    _check_absent(path, force)
    path = path.resolve()
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with open(partial, "x", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _as_csv(results):
    text = io.StringIO()
    rows = [{"data": table.name, **row} for table, result in results for row in result.rows]
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _as_json(results, settings):
    studies = [
        {"data": table.name, "target": table.target, **result.to_dict()}
        for table, result in results
    ]
    found = {"treelearn": __version__, **settings, "studies": studies}
    return json.dumps(_finite(found), indent=1) + "\n"


def _finite(value):
    """Write infinity as text, for which JSON has no number."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
