"""What a study has found: tables, tests and sentences, for one table and for several.

Numbers are derived from the rows of the folds when they are asked for.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from ._scores import METRICS, REPORTED
from ._significance import (
    SIGNIFICANCE,
    bayesian_signed_rank,
    bayesian_t_test,
    corrected_half_width,
    corrected_t_test,
    critical_difference,
    difference,
    friedman,
    holm,
    holm_against_best,
    nemenyi,
    rank_rows,
    undistinguished,
)
from ._tables import to_frame

__all__ = ["CriteriaComparison", "CriteriaStudy"]


@dataclass(repr=False)
class CriteriaComparison:
    """What `compare_criteria` found.

    Attributes
    ----------
    task : {"classification", "regression"}
        What kind of target it is.
    n_samples, n_features : int
        Size of the table, without samples whose target is missing.
    n_classes : int or None
        Number of classes; None for regression.
    cv, n_repeats : int
        Folds of one cross-validation, and how often it was repeated; all folds and 1 where a
        splitter was given.
    folds : list of dict
        One row per criterion and fold: ``criterion``, ``order``, ``repeat``, ``fold``, every
        metric, ``depth``, ``fit_seconds`` and ``predict_seconds``; the ``chosen`` parameters
        where there was a grid.
    notes : list of str
        What the reader should know of the data, and warnings of the fits, each once.
    settings : dict
        What the study can be repeated by: ``splitter``, ``test_to_train`` (test samples per
        training sample), ``seed``, ``max_depth``, ``grid`` and ``data_hash`` (SHA-256 of the
        features and the target).
    """

    task: str
    n_samples: int
    n_features: int
    n_classes: int | None
    cv: int
    n_repeats: int
    folds: list
    notes: list
    settings: dict

    @property
    def criteria(self):
        """Names of the criteria, in the order in which they were given."""
        return list(dict.fromkeys(row["criterion"] for row in self.folds))

    @property
    def metrics(self):
        """What is compared."""
        return METRICS[self.task]

    def values(self, column, criterion):
        """Return one column of ``folds`` for one criterion, an array of shape (n_folds,)."""
        return np.array([row[column] for row in self.folds if row["criterion"] == criterion])

    @cached_property
    def rows(self):
        """One dict per criterion: the mean of every column of ``folds``, and its spread.

        The spread, in the columns that end in ``_sd``, is the standard deviation over the folds
        of all repeats.  ``_half_width`` is half of the 95 % interval of the mean, corrected for
        folds that share training samples as the test is.
        """
        metrics = [metric.key for metric in self.metrics]
        rows = []
        for name in self.criteria:
            order = next(row["order"] for row in self.folds if row["criterion"] == name)
            row = {"criterion": name, "order": order}
            for column in (*metrics, *REPORTED):
                values = self.values(column, name)
                row[column] = float(np.mean(values))
                row[f"{column}_sd"] = float(np.std(values, ddof=1))
            for column in metrics:
                width = corrected_half_width(
                    self.values(column, name), self.settings["test_to_train"]
                )
                row[f"{column}_half_width"] = width
            rows.append(row)
        return rows

    @cached_property
    def comparisons(self):
        """One dict per metric and pair of criteria: whether they differ by more than noise.

        ``difference`` is the mean of first minus second over the folds, ``p_value`` that of the
        corrected resampled t-test, ``p_adjusted`` the same by Holm's method for all pairs of
        one metric, and ``is_tie`` whether that leaves the difference within noise.  ``wins``,
        ``ties`` and ``losses`` count the folds in which the first is better, equal and worse.
        ``p_better``, ``p_equivalent`` and ``p_worse`` are the posterior probabilities that the
        first is better, practically as good (within ``rope``) and worse.
        """
        rows = []
        test_to_train = self.settings["test_to_train"]
        for metric in self.metrics:
            values = {name: self.values(metric.key, name) for name in self.criteria}
            of_metric = []
            for first, second in combinations(self.criteria, 2):
                differences = difference(values[first], values[second])
                sign = 1 if metric.higher_is_better else -1
                rope = metric.equivalence(values[first].mean(), values[second].mean())
                worse, equivalent, better = bayesian_t_test(sign * differences, test_to_train, rope)
                of_metric.append(
                    {
                        "metric": metric.key,
                        "first": first,
                        "second": second,
                        "difference": float(differences.mean()),
                        "p_value": corrected_t_test(differences, test_to_train),
                        "wins": int((sign * differences > 0).sum()),
                        "ties": int((differences == 0).sum()),
                        "losses": int((sign * differences < 0).sum()),
                        "rope": float(rope),
                        "p_better": better,
                        "p_equivalent": equivalent,
                        "p_worse": worse,
                    }
                )
            adjusted = holm([row["p_value"] for row in of_metric])
            for row, p_adjusted in zip(of_metric, adjusted, strict=True):
                row["p_adjusted"] = p_adjusted
                row["is_tie"] = p_adjusted >= SIGNIFICANCE
            rows.extend(of_metric)
        return rows

    @property
    def summary(self):
        """What follows from the tests, in sentences."""
        if len(self.criteria) < 2:
            return "Only one criterion: nothing to compare."
        tied, sentences = [], []
        for metric in self.metrics:
            pairs = [row for row in self.comparisons if row["metric"] == metric.key]
            if all(row["is_tie"] for row in pairs):
                tied.append(metric.label)
            else:
                sentences.append(_sentence(metric, self.rows, pairs, self.best(metric)))
        if tied:
            sentences.insert(
                0,
                f"Ties in {_listed(tied)}: no difference between the {len(self.criteria)} "
                "criteria is more than noise.",
            )
        return "\n".join(sentences)

    def best(self, metric):
        """Return the criterion with the best mean of a metric, the first one among equals."""
        mean = {row["criterion"]: row[metric.key] for row in self.rows}
        return (max if metric.higher_is_better else min)(mean, key=mean.get)

    def losers(self, metric):
        """Return the set of criteria that are worse than the best one by more than noise."""
        best = self.best(metric)
        pairs = [p for p in self.comparisons if p["metric"] == metric.key and not p["is_tie"]]
        names = [{pair["first"], pair["second"]} for pair in pairs]
        return {(pair - {best}).pop() for pair in names if best in pair}

    def to_dict(self):
        """Return everything as one dict of numbers, text and lists of dicts, for JSON."""
        found = ("summary", "rows", "comparisons")
        return {key: getattr(self, key) for key in (*self.__dataclass_fields__, *found)}

    def to_frame(self):
        """Return ``rows`` as a pandas.DataFrame."""
        return to_frame(self.rows)

    def __repr__(self):
        return (
            f"<CriteriaComparison of {len(self.criteria)} criteria, {self.n_samples} samples, "
            f"{self.n_repeats} x {self.cv} folds>"
        )

    def __str__(self):
        return self.summary


@dataclass(repr=False)
class CriteriaStudy:
    """The same criteria on several tables, and what ranks over tables tell.

    Attributes
    ----------
    comparisons : dict of CriteriaComparison
        What was found on each table, by its name.  All have the same criteria.
    seed : int
        Seed of what is drawn from posterior distributions.

    Raises
    ------
    ValueError
        If there are fewer than two tables, or their criteria differ.
    """

    comparisons: dict
    seed: int = 0

    def __post_init__(self):
        found = list(self.comparisons.values())
        if len(found) < 2:
            raise ValueError("Ranks need two tables or more.")
        if any(one.criteria != found[0].criteria or one.task != found[0].task for one in found):
            raise ValueError("Ranks need the same criteria and the same task on every table.")

    @property
    def criteria(self):
        """Names of the criteria."""
        return next(iter(self.comparisons.values())).criteria

    @property
    def metrics(self):
        """What is compared."""
        return next(iter(self.comparisons.values())).metrics

    def scores(self, metric):
        """Return the mean of a metric, of shape (n_tables, n_criteria)."""
        return np.array(
            [[row[metric.key] for row in one.rows] for one in self.comparisons.values()]
        )

    def friedman(self, metric):
        """Return Friedman's test of a metric over the tables."""
        return friedman(rank_rows(self.scores(metric), metric.higher_is_better))

    @cached_property
    def ranks(self):
        """One dict per metric: mean ranks over the tables, and whether they are noise.

        ``mean_ranks`` by criterion; ``p_value`` of the Friedman test (in the form of Iman and
        Davenport) and ``is_tie``; ``critical_difference`` of Nemenyi's test and the ``groups``
        it does not tell apart; ``p_against_best`` by criterion, adjusted by Holm's method.
        """
        rows = []
        n_tables = len(self.comparisons)
        width = critical_difference(len(self.criteria), n_tables) if len(self.criteria) > 1 else 0
        for metric in self.metrics if len(self.criteria) > 1 else ():
            test = self.friedman(metric)
            groups = undistinguished(test.mean_ranks, width)
            against_best = holm_against_best(test.mean_ranks, n_tables)
            rows.append(
                {
                    "metric": metric.key,
                    "mean_ranks": dict(zip(self.criteria, test.mean_ranks.tolist(), strict=True)),
                    "chi2": test.statistic,
                    "f": test.f_statistic,
                    "p_value": test.p_value,
                    "is_tie": test.p_value >= SIGNIFICANCE,
                    "critical_difference": width,
                    "groups": [[self.criteria[i] for i in group] for group in groups],
                    "p_against_best": dict(zip(self.criteria, against_best.tolist(), strict=True)),
                }
            )
        return rows

    @cached_property
    def pairs(self):
        """One dict per metric and pair of criteria, over the tables.

        ``wins``, ``ties`` and ``losses`` count the tables on which the first is better by more
        than noise, not told apart, and worse.  ``p_nemenyi`` compares mean ranks.
        ``p_better``, ``p_equivalent`` and ``p_worse`` are posterior probabilities of the
        Bayesian signed-rank test for one more table.
        """
        rows = []
        n_tables = len(self.comparisons)
        for metric in self.metrics if len(self.criteria) > 1 else ():
            scores = self.scores(metric)
            sign = 1 if metric.higher_is_better else -1
            p_values = nemenyi(self.friedman(metric).mean_ranks, n_tables)
            for i, j in combinations(range(len(self.criteria)), 2):
                differences = sign * difference(scores[:, i], scores[:, j])
                rope = metric.rope
                if metric.rope_is_relative:
                    size = (np.abs(scores[:, i]) + np.abs(scores[:, j])) / 2
                    differences = differences / np.where(size > 0, size, 1)
                worse, equivalent, better = bayesian_signed_rank(differences, rope, self.seed)
                outcomes = [
                    0 if pair["is_tie"] else int(np.sign(sign * pair["difference"]))
                    for one in self.comparisons.values()
                    for pair in one.comparisons
                    if (pair["metric"], pair["first"], pair["second"])
                    == (metric.key, self.criteria[i], self.criteria[j])
                ]
                rows.append(
                    {
                        "metric": metric.key,
                        "first": self.criteria[i],
                        "second": self.criteria[j],
                        "wins": outcomes.count(1),
                        "ties": outcomes.count(0),
                        "losses": outcomes.count(-1),
                        "p_nemenyi": float(p_values[i, j]),
                        "p_better": better,
                        "p_equivalent": equivalent,
                        "p_worse": worse,
                    }
                )
        return rows

    @property
    def summary(self):
        """What follows from the tests over the tables, in sentences."""
        n_tables = len(self.comparisons)
        if len(self.criteria) < 2:
            return "Only one criterion: nothing to compare."
        tied, sentences = [], []
        for metric, row in zip(self.metrics, self.ranks, strict=True):
            if row["is_tie"]:
                tied.append(metric.label)
                continue
            best = min(row["mean_ranks"], key=row["mean_ranks"].get)
            worse = [name for name, p in row["p_against_best"].items() if p < SIGNIFICANCE]
            label = f"{metric.label[0].upper()}{metric.label[1:]}"
            text = f"{label}: best mean rank with {best} ({row['mean_ranks'][best]:.2f})"
            if worse:
                text += f", by more than noise against {_listed(worse)}"
            rest = [name for name in self.criteria if name not in worse and name != best]
            if rest:
                text += f"; not told apart from {_listed(rest)}"
            sentences.append(f"{text}.")
        if tied:
            sentences.insert(
                0,
                f"Over {n_tables} tables, ties in {_listed(tied)}: the ranks of the "
                f"{len(self.criteria)} criteria differ by no more than noise (Friedman).",
            )
        return "\n".join(sentences)

    def to_dict(self):
        """Return the tests over the tables as one dict, for JSON."""
        return {"summary": self.summary, "ranks": self.ranks, "pairs": self.pairs}

    def __repr__(self):
        return f"<CriteriaStudy of {len(self.criteria)} criteria on {len(self.comparisons)} tables>"

    def __str__(self):
        return self.summary


def _sentence(metric, rows, pairs, best):
    """Say which criterion is best in a metric in which not all are ties."""
    value = {row["criterion"]: row[metric.key] for row in rows}

    def shown(names):
        return _listed([f"{name} ({metric.text(value[name])})" for name in names])

    worse, tied = [], []
    for pair in pairs:
        names = {pair["first"], pair["second"]}
        if best in names:
            (tied if pair["is_tie"] else worse).append((names - {best}).pop())
    direction = "highest" if metric.higher_is_better else "lowest"
    text = f"{metric.label[0].upper()}{metric.label[1:]}: {direction} with {shown([best])}"
    if worse:
        text += f", by more than noise against {shown(worse)}"
    if tied:
        text += f"; a tie with {shown(tied)}"
    if not worse:
        others = [f"{p['first']} and {p['second']}" for p in pairs if not p["is_tie"]]
        text += f"; more than noise lies only between {'; '.join(others)}"
    return text + "."


def _listed(words):
    *before, last = words
    return f"{', '.join(before)} and {last}" if before else last
