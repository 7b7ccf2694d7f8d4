"""The facts of comparisons: answer, ranking, what is not told apart, orders, curves."""

import numpy as np

from .._significance import SIGNIFICANCE
from ..criteria import parse_criterion, takes_order
from ..plot._curves import impurity_curve, order_curves

__all__ = ["comparison_facts", "is_open", "order_facts", "study_facts"]

_CURVES = ("gini", "entropy", "renyi:0.5", "renyi:5", "misclassification")


_PAIR_KEYS = (
    *("metric", "first", "second", "difference", "p_adjusted", "is_tie"),
    *("wins", "ties", "losses", "p_better", "p_equivalent", "p_worse"),
)


def is_open(label):
    """Return whether the order of a criterion was chosen fold by fold."""
    name, order = parse_criterion(label)
    return order is None and takes_order(name)


def _metric_facts(metrics):
    return [
        {
            "key": metric.key,
            "label": metric.label,
            "unit": metric.unit,
            "higher": metric.higher_is_better,
            "rope": metric.rope,
            "relative": metric.rope_is_relative,
        }
        for metric in metrics
    ]


def comparison_facts(comparison, target):
    """Return what the page says of the comparison on one table.

    Parameters
    ----------
    comparison : CriteriaComparison
        What was found.
    target : str
        Name of the target's column.

    Returns
    -------
    dict
        Numbers, text and lists, for JSON.
    """
    metrics = comparison.metrics
    losers = {metric.key: comparison.losers(metric) for metric in metrics}
    rows = []
    for row in comparison.rows:
        name = row["criterion"]
        scores = {
            m.key: [row[m.key], row[f"{m.key}_half_width"], name in losers[m.key]] for m in metrics
        }
        rows.append(
            {
                "criterion": name,
                "scores": scores,
                "depth": row["depth"],
                "fit_ms": 1000 * row["fit_seconds"],
                "predict_ms": 1000 * row["predict_seconds"],
                "chosen": _chosen(comparison, name),
            }
        )
    what = "impurity" if comparison.task == "classification" else "criterion"
    return {
        "question": f"Which {what} grows the better trees to predict “{target}”?",
        "answer": _answer(comparison),
        "summary": comparison.summary.split("\n"),
        "metrics": _metric_facts(metrics),
        "rows": rows,
        "groups": {metric.key: _tied_groups(comparison, metric) for metric in metrics},
        "pairs": [
            {key: pair[key] for key in _PAIR_KEYS if key in pair} for pair in comparison.comparisons
        ],
        "folds": _folds_in_words(comparison),
        "curves": _impurity_curves(comparison) if comparison.n_classes == 2 else None,
    }


def _answer(comparison):
    """Return what the tests say of the first metric, in one sentence."""
    metric = comparison.metrics[0]
    names = comparison.criteria
    best = comparison.best(metric)
    value = {row["criterion"]: metric.text(row[metric.key]) for row in comparison.rows}
    if len(names) < 2:
        return f"Only {best} was tried: {metric.label} {value[best]}."
    pairs = [pair for pair in comparison.comparisons if pair["metric"] == metric.key]
    if all(pair["is_tie"] for pair in pairs):
        return (
            f"None: the {len(names)} tie in {metric.label}, from {value[_worst(comparison)]} to "
            f"{value[best]}; no difference is more than noise."
        )
    worse = comparison.losers(metric)
    tied = [name for name in names if name not in worse and name != best]
    text = f"{best} has the best {metric.label} ({value[best]})"
    if worse:
        listed = ", ".join(f"{name} ({value[name]})" for name in names if name in worse)
        text += f", by more than noise against {listed}"
    if tied:
        text += f"; not told apart from it: {', '.join(tied)}"
    return f"{text}."


def _worst(comparison):
    metric = comparison.metrics[0]
    rows = comparison.rows
    pick = min if metric.higher_is_better else max
    return pick(rows, key=lambda row: row[metric.key])["criterion"]


def _tied_groups(comparison, metric):
    """Return the largest runs of criteria, by mean, of which no two are told apart."""
    rows = sorted(comparison.rows, key=lambda row: row[metric.key])
    names = [row["criterion"] for row in rows]
    is_tie = {
        frozenset((pair["first"], pair["second"])): pair["is_tie"]
        for pair in comparison.comparisons
        if pair["metric"] == metric.key
    }
    groups, last_end = [], 0
    for start in range(len(names)):
        end = start + 1
        while end < len(names) and all(
            is_tie[frozenset((name, names[end]))] for name in names[start:end]
        ):
            end += 1
        if end > last_end and end - start > 1:
            groups.append(names[start:end])
        last_end = max(last_end, end)
    return groups


def _chosen(comparison, name):
    """Return how often each parameter was chosen, where there was a grid."""
    counts = {}
    for row in comparison.folds:
        if row["criterion"] == name:
            for parameter, value in row.get("chosen", {}).items():
                text = f"{parameter} = {value}"
                counts[text] = counts.get(text, 0) + 1
    return sorted(counts.items(), key=lambda item: -item[1])


def _folds_in_words(comparison):
    splitter = comparison.settings["splitter"].partition("(")[0]
    if splitter.startswith("Repeated") and comparison.n_repeats > 1:
        return f"{comparison.n_repeats} times {comparison.cv} folds ({splitter})"
    return f"{comparison.cv} folds ({splitter})"


def _impurity_curves(comparison):
    """Return the impurity of two classes, scaled to 1, for the criteria of a comparison."""
    shares = np.linspace(0, 1, 41)[1:-1]
    names = list(dict.fromkeys([*comparison.criteria, *_CURVES]))[:8]
    curves = {}
    for name in names:
        if is_open(name):
            continue
        scale = impurity_curve(name, [0.5])[0]
        curves[name] = [0.0, *(impurity_curve(name, shares) / scale).tolist(), 0.0]
    return {"shares": [0.0, *shares.tolist(), 1.0], "curves": curves}


def order_facts(comparison):
    """Return score against order for every metric of a comparison of orders."""
    found = {}
    for metric in comparison.metrics:
        curves, others = order_curves(comparison, metric.key)
        found[metric.key] = {
            "curves": {
                family: [
                    [order if np.isfinite(order) else None, mean, half]
                    for order, mean, half in zip(*(part.tolist() for part in curve), strict=True)
                ]
                for family, curve in curves.items()
            },
            "others": others,
        }
    return {
        "metrics": _metric_facts(comparison.metrics),
        "by_metric": found,
        "n_samples": comparison.n_samples,
        "folds": _folds_in_words(comparison),
    }


def study_facts(study):
    """Return what the page says of a study of several tables."""
    summary = study.summary.split("\n")
    first = study.metrics[0]
    rank = study.ranks[0] if study.ranks else None
    if rank is None:
        answer = summary[0]
    elif rank["is_tie"]:
        answer = (
            f"None: over {len(study.comparisons)} tables the ranks in {first.label} differ by no "
            f"more than noise (Friedman, p = {rank['p_value']:.2g})."
        )
    else:
        answer = next(line for line in summary if line.lower().startswith(first.label.lower()))
    return {
        "question": f"Which criterion grows the better trees on {len(study.comparisons)} tables?",
        "answer": answer,
        "summary": summary,
        "metrics": _metric_facts(study.metrics),
        "criteria": study.criteria,
        "tables": list(study.comparisons),
        "scores": {metric.key: study.scores(metric).tolist() for metric in study.metrics},
        "ranks": [_finite(row) for row in study.ranks],
        "pairs": study.pairs,
        "level": SIGNIFICANCE,
    }


def _finite(row):
    return {
        key: None if isinstance(value, float) and not np.isfinite(value) else value
        for key, value in row.items()
    }
