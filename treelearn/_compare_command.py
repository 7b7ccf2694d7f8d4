"""The command ``treelearn compare``."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, TimeSeriesSplit
from typer.core import TyperCommand

from ._files import check_writable, write_whole
from ._options import SETS, Criteria, Folds, Force, MaxDepth, Seed, Target, Task
from ._tables import BUNDLED_SETS, feature_matrix, is_frame, read_table, target_values
from ._terminal import console, progress_bar, say, short_errors
from ._text_table import as_csv, as_json, fitting_table, studies_over_tables, ties_of_all
from .criteria import parse_criterion
from .laboratory import DEFAULT_GRID, compare_criteria
from .report import page_of_study, page_of_table

__all__ = ["CompareCommand", "check_page", "command_line", "compare", "show_comparison"]

_SETS_WITHOUT_DATA = ("iris", "wine", "breast_cancer", "digits")
_ARGUMENTS = "treelearn.arguments"
_TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".gz", ".parquet", ".pq")


class CompareCommand(TyperCommand):
    """The command with ``--criteria`` taking all the names that follow it."""

    def parse_args(self, ctx, args):
        ctx.meta[_ARGUMENTS] = list(args)
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
    is_file = text.lower().endswith(_TABLE_SUFFIXES)
    return text in BUNDLED_SETS or is_file or Path(text).is_dir()


def compare(
    ctx: typer.Context,
    data: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="DATA",
            help="CSV or Parquet files, a folder of them, or scikit-learn's sets: "
            f"{SETS}. Without it: {', '.join(_SETS_WITHOUT_DATA)}.",
            show_default=False,
        ),
    ] = None,
    target: Target = None,
    criteria: Criteria = None,
    task: Task = None,
    max_depth: MaxDepth = None,
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
    groups: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Keep rows with the same value of this column in the same fold. The column is "
            "no feature then.",
            show_default=False,
        ),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Train on what comes before and test on what comes after by this column, which "
            "is no feature then.",
            show_default=False,
        ),
    ] = None,
    tune: Annotated[
        bool,
        typer.Option(
            "--tune",
            help="Nested cross-validation: choose depth, leaf size and the orders that are not "
            "given within the training rows of each fold. Takes some hundred times longer.",
        ),
    ] = False,
    seed: Seed = 0,
    jobs: Folds = None,
    store: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write every fit down as it ends. A command that was stopped goes on where it "
            "was when it is repeated.",
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
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write a page, as .html: the comparison and a tree to look at, or the ranks "
            "over several tables.",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
):
    """Compare impurities on tables by repeated cross-validation.

    Grows a tree with every criterion on the same folds and shows how good the trees are, how
    large, and whether the differences are more than noise; over several tables, whether the
    ranks are. Text columns become ordinal codes; missing values stay missing.

    Examples: treelearn compare; treelearn compare iris --criteria gini renyi:0.5;
    treelearn compare prices.csv --target price --max-depth 6 --out prices.json;
    treelearn compare tables/ --jobs -1 --store study.jsonl
    """
    with short_errors(lambda: _way_on(store)):
        for name in criteria or []:
            parse_criterion(name)
        sources, is_folder = _sources(data)
        _check_options(data, target, groups, time, repeats)
        _check_files(out, report, store, force)
        on = console()
        results = []
        for i, source in enumerate(sources):
            place = f" ({i + 1} of {len(sources)})" if len(sources) > 1 else ""
            try:
                table = read_table(source, target)
                split = _split_of(table, groups, time, cv, seed, task)
                with progress_bar(f"{table.name}{place}") as progress:
                    result = compare_criteria(
                        split.X,
                        split.y,
                        criteria,
                        cv=split.cv,
                        n_repeats=repeats,
                        groups=split.groups,
                        grid=DEFAULT_GRID if tune else None,
                        max_depth=max_depth,
                        random_state=seed,
                        n_jobs=jobs,
                        task=task or table.task,
                        store=store,
                        progress=progress,
                    )
            except (ValueError, OSError) as error:
                if not is_folder:
                    raise
                say(on, f"{Path(source).name}: left out. {error}\n")
                continue
            result.notes[:0] = table.notes
            show_comparison(on, table, result)
            results.append((table, result))
            if report is not None and len(results) == 1:
                first = table, split.X, split.y
        if not results:
            raise ValueError("None of the tables could be compared.")
        studies = studies_over_tables(results, seed)
        for study in studies:
            say(on, ties_of_all(study))
            say(on, study.summary)
        if out is not None:
            rules = {"seed": seed, "max_depth": max_depth}
            text = as_json(results, rules) if out.suffix == ".json" else as_csv(results)
            write_whole(out, text, force)
        if report is not None:
            settings = {"command": command_line(ctx), "seed": seed}
            if len(results) == 1:
                page = page_of_table(
                    *(*first, results[0][1]), **settings, max_depth=max_depth, n_jobs=jobs
                )
            elif studies:
                page = page_of_study(studies[0], [], **settings)
            else:
                raise ValueError("No two tables have the same task and criteria: no page of them.")
            write_whole(report, page, force, "--report")
            say(on, f"The page is {report} ({len(page) / 1e6:.1f} MB).")


def _way_on(store):
    """Return what Ctrl-C leaves."""
    if store is None or not store.exists():
        return ""
    return f" {store} holds what is done: the same command goes on."


def _sources(data):
    """Return the tables to read, and whether they are those of a folder."""
    if not data:
        return list(_SETS_WITHOUT_DATA), False
    if len(data) == 1 and Path(data[0]).is_dir():
        found = sorted(
            path for path in Path(data[0]).iterdir() if path.name.lower().endswith(_TABLE_SUFFIXES)
        )
        if not found:
            raise ValueError(f"The folder {data[0]} holds no CSV or Parquet file.")
        return found, True
    for source in data if len(data) > 1 else ():
        # Known before the first of them takes its time.
        if source not in BUNDLED_SETS and not Path(source).is_file():
            raise ValueError(f"There is no file {source}.")
    return data, False


def _check_options(data, target, groups, time, repeats):
    if not data:
        for option, value in (("--target", target), ("--groups", groups), ("--time", time)):
            if value is not None:
                raise ValueError(f"{option} needs a file to take the column from.")
    if groups is not None and time is not None:
        raise ValueError("--groups and --time are two ways of splitting: name one.")
    if repeats is not None and (groups is not None or time is not None):
        raise ValueError("--repeats does not go with --groups or --time.")


def _check_files(out, report, store, force):
    if out is not None:
        if out.suffix not in (".csv", ".json"):
            raise ValueError(f"--out {out} must end in .csv or .json.")
        check_writable(out, force)
    if report is not None:
        check_page(report, force, "--report")
    if store is not None:
        check_writable(store, force=True, option="--store")


@dataclass
class _Split:
    """A table with its way of splitting it."""

    X: object
    y: object
    cv: object
    groups: object = None


def _split_of(table, groups, time, cv, seed, task):
    """Return the table without the column it is split by, in that column's order of time."""
    name = groups if time is None else time
    if name is None:
        return _Split(table.X, table.y, cv)
    option = "--groups" if time is None else "--time"
    if not is_frame(table.X):
        raise ValueError(f"{option} needs a file to take the column from.")
    names = [str(column) for column in table.X.columns]
    if names.count(name) != 1:
        found = "no column" if name not in names else f"{names.count(name)} columns"
        raise ValueError(f"{table.name} has {found} {name!r} besides the target.")
    place = names.index(name)
    values = feature_matrix(table.X.iloc[:, [place]])[0][:, 0]
    X = table.X.iloc[:, [j for j in range(len(names)) if j != place]]
    if not X.shape[1]:
        raise ValueError(f"{table.name} has no feature besides {name!r}.")
    if time is None:
        labels = np.unique(values, return_inverse=True)[1]
        if labels.max() + 1 < cv:
            raise ValueError(
                f"{option} {name} has {labels.max() + 1} values, fewer than there are folds ({cv})."
            )
        is_number = (task or table.task) == "regression" or _is_real(table.y)
        kind = GroupKFold if is_number else StratifiedGroupKFold
        return _Split(X, table.y, kind(n_splits=cv, shuffle=True, random_state=seed), labels)
    if np.isnan(values).any():
        raise ValueError(f"{option} {name} has missing values.")
    order = np.argsort(values, kind="stable")
    return _Split(X.iloc[order], table.y.iloc[order], TimeSeriesSplit(n_splits=cv))


def _is_real(y):
    values = target_values(y)[0]
    return values.dtype.kind == "f" and bool((values != np.floor(values)).any())


def show_comparison(on, table, result):
    """Print the heading, the table, the summary and the notes of one result."""
    is_classes = result.task == "classification"
    kind = f"{result.n_classes} classes" if is_classes else "a number"
    say(
        on,
        f"{table.name}: {result.n_samples:,} rows, {result.n_features:,} features; to predict: "
        f"{table.target!r}, {kind}",
    )
    for note in result.notes:
        say(on, note)
    text_table, has_spread = fitting_table(on, result)
    on.print(text_table)
    legend = "Mean ± standard deviation" if has_spread else "Mean"
    legend += f" over {_folds_in_words(result)}"
    if any(result.losers(metric) for metric in result.metrics):
        legend += "; *: worse than the best of the column by more than noise"
    say(on, f"{legend}.")
    say(on, f"{result.summary}\n")


def _folds_in_words(result):
    name = result.settings["splitter"].partition("(")[0]
    if name.startswith("Repeated"):
        return f"{result.n_repeats} x {result.cv} folds"
    return f"{result.cv} folds of {name}"


def check_page(path, force, option):
    """Refuse a page that could not be written, before any work is done."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"{option} {path} must end in .html.")
    check_writable(path, force, option)


def command_line(ctx):
    """Return the command as it can be typed again."""
    return shlex.join([*ctx.command_path.split(), *ctx.meta.get(_ARGUMENTS, [])])
