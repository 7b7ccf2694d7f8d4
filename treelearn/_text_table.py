"""The comparison as a table of text, and as CSV and JSON."""

import csv
import io
import json
import math

from rich import box
from rich.table import Table as TextTable

from ._version import __version__
from .laboratory import CriteriaStudy

__all__ = ["as_csv", "as_json", "fitting_table", "studies_over_tables", "ties_of_all"]

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


def fitting_table(console, result):
    """Return the table with as much in it as the console is wide, and whether spreads are."""
    for has_spread, has_brier, is_whole, padding in (
        (True, True, True, 1),
        (True, True, True, 0),
        (True, False, True, 0),
        (False, True, True, 0),
        (False, False, False, 0),
    ):
        text_table = _text_table(result, has_spread, has_brier, is_whole, padding)
        wanted = console.measure(text_table, options=console.options.update(max_width=10_000))
        if wanted.maximum <= console.width:
            break
    return text_table, has_spread


def _text_table(result, has_spread, has_brier, is_whole, padding):
    columns = {}
    for metric in result.metrics:
        if metric.key == "brier" and not has_brier:
            continue
        scale = 100 if metric.unit == "%" else 1
        means = [scale * row[metric.key] for row in result.rows]
        spreads = [scale * row[f"{metric.key}_sd"] for row in result.rows]
        digits = _decimals(spreads)
        cells = [f"{mean:.{digits}f}" for mean in means]
        if has_spread:
            spreads = [f"{spread:.{digits}f}" for spread in spreads]
            cells = [f"{cell}±{spread}" for cell, spread in zip(cells, spreads, strict=True)]
        losers = result.losers(metric)
        if losers:
            marks = ["*" if row["criterion"] in losers else " " for row in result.rows]
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


def _decimals(spreads):
    """Return how many decimals give the middle spread two digits, at most four."""
    middle = sorted(spreads)[len(spreads) // 2]
    return min(4, max(0, 1 - math.floor(math.log10(middle)))) if middle > 0 else 1


def ties_of_all(study):
    """Say in one sentence on how many tables of a study all criteria tie."""
    parts = []
    results = list(study.comparisons.values())
    for metric in study.metrics:
        n_tied = sum(
            all(row["is_tie"] for row in result.comparisons if row["metric"] == metric.key)
            for result in results
        )
        parts.append(f"{metric.label} {n_tied}")
    return f"Of {len(results)} sets, on how many all criteria tie: {', '.join(parts)}."


def studies_over_tables(results, seed):
    """Return a study of all tables that have the same task and criteria, where there are two.

    Parameters
    ----------
    results : list of (Table, CriteriaComparison)
        What was found.
    seed : int
        Seed of what is drawn.

    Returns
    -------
    list of CriteriaStudy
        Often one; classes and numbers are ranked apart.
    """
    alike = {}
    for table, result in results:
        found = alike.setdefault((result.task, tuple(result.criteria)), {})
        found[_free_name(table.name, found)] = result
    return [CriteriaStudy(found, seed) for found in alike.values() if len(found) > 1]


def _free_name(name, taken):
    """Return a name that is not yet taken: files in two folders may have the same."""
    number = 2
    free = name
    while free in taken:
        free = f"{name} ({number})"
        number += 1
    return free


def as_csv(results):
    """Return one line per table and criterion, as CSV."""
    text = io.StringIO()
    rows = [{"data": table.name, **row} for table, result in results for row in result.rows]
    # Classes and numbers have other columns.
    columns = dict.fromkeys(key for row in rows for key in row)
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_json(results, settings):
    """Return everything, down to the single folds, as JSON."""
    studies = [
        {"data": table.name, "target": table.target, **result.to_dict()}
        for table, result in results
    ]
    over_tables = [
        {"data": list(study.comparisons), **study.to_dict()}
        for study in studies_over_tables(results, settings["seed"])
    ]
    found = {
        "treelearn": __version__,
        **settings,
        "studies": studies,
        "over_tables": over_tables,
    }
    return json.dumps(_finite(found), indent=1) + "\n"


def _finite(value):
    """Write infinity as text, for which JSON has no number."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
