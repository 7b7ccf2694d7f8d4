"""Comparison of split criteria on one table, by repeated cross-validation.

Every criterion is fitted on the same folds, so that criteria are compared fold by fold.
"""

import warnings
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from numbers import Integral

import numpy as np
from scipy.special import stdtr
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold
from sklearn.utils import check_array, check_random_state, check_scalar

from ._scores import METRICS, REPORTED, classification_fold, regression_fold
from ._tables import enumerate_names, feature_matrix, is_frame, target_values, to_frame
from .criteria import CLASSIFICATION_CRITERIA, REGRESSION_CRITERIA, parse_criterion

__all__ = ["CriteriaComparison", "DEFAULT_CRITERIA", "compare_criteria"]

SIGNIFICANCE = 0.05
"""A difference is more than noise when its adjusted p-value is below this."""

DEFAULT_CRITERIA = {
    "classification": ("gini", "entropy", "renyi:0.5", "renyi:2", "tsallis:1.5"),
    "regression": ("squared_error", "absolute_error", "poisson", "gaussian_entropy"),
}
"""Criteria that are compared where none are named."""

_MOST_CLASSES_OF_NUMBERS = 25
_ROWS_OF_ALL_REPEATS = 100_000
_MOST_REPEATS = 10


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
        Folds of one cross-validation, and how often it was repeated.
    folds : list of dict
        One row per criterion and fold: ``criterion``, ``order``, ``repeat``, ``fold``, every
        metric, ``depth`` and ``fit_seconds``.
    notes : list of str
        What the reader should know of the data, and warnings of the fits, each once.
    """

    task: str
    n_samples: int
    n_features: int
    n_classes: int | None
    cv: int
    n_repeats: int
    folds: list
    notes: list

    @property
    def criteria(self):
        """Names of the criteria, in the order in which they were given."""
        return list(dict.fromkeys(row["criterion"] for row in self.folds))

    @cached_property
    def rows(self):
        """One dict per criterion: the mean of every column of ``folds``, and its spread.

        The spread, in the columns that end in ``_sd``, is the standard deviation over the folds
        of all repeats.
        """
        columns = [metric.key for metric in METRICS[self.task]] + list(REPORTED)
        rows = []
        for name in self.criteria:
            of_criterion = [row for row in self.folds if row["criterion"] == name]
            row = {"criterion": name, "order": of_criterion[0]["order"]}
            for column in columns:
                values = [fold[column] for fold in of_criterion]
                row[column] = float(np.mean(values))
                row[f"{column}_sd"] = float(np.std(values, ddof=1))
            rows.append(row)
        return rows

    @cached_property
    def comparisons(self):
        """One dict per metric and pair of criteria: whether they differ by more than noise.

        ``difference`` is the mean of first minus second over the folds, ``p_value`` that of the
        corrected resampled t-test, ``p_adjusted`` the same by Holm's method for all pairs of
        one metric, and ``is_tie`` whether that leaves the difference within noise.
        """
        rows = []
        for metric in METRICS[self.task]:
            values = {
                name: np.array([r[metric.key] for r in self.folds if r["criterion"] == name])
                for name in self.criteria
            }
            of_metric = []
            for first, second in combinations(self.criteria, 2):
                difference = _difference(values[first], values[second])
                p_value = _corrected_t_test(difference, self.cv)
                of_metric.append(
                    {
                        "metric": metric.key,
                        "first": first,
                        "second": second,
                        "difference": float(difference.mean()),
                        "p_value": p_value,
                    }
                )
            adjusted = _holm([row["p_value"] for row in of_metric])
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
        comparisons = self.comparisons
        tied, sentences = [], []
        for metric in METRICS[self.task]:
            pairs = [row for row in comparisons if row["metric"] == metric.key]
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


def compare_criteria(
    X,
    y,
    criteria=None,
    *,
    cv=5,
    n_repeats=None,
    max_depth=None,
    random_state=0,
    n_jobs=None,
    task=None,
    progress=None,
):
    """Compare split criteria on a table, by repeated cross-validation on equal folds.

    Parameters
    ----------
    X : array-like, sparse matrix or frame of shape (n_samples, n_features)
        Features.  Text and categories of a frame become ordinal codes, dates seconds; NaN is
        a missing value.
    y : array-like of shape (n_samples,)
        Target.  Samples whose target is missing are left out.
    criteria : list of str, default=None
        Criteria as ``"name"`` or ``"name:order"``, such as ``"renyi:0.5"``.  None: gini,
        entropy, renyi:0.5, renyi:2 and tsallis:1.5 for classes; squared_error,
        absolute_error, poisson (unless a target is negative) and gaussian_entropy for numbers.
    cv : int, default=5
        Folds of one cross-validation, stratified by class.
    n_repeats : int, default=None
        How often the cross-validation is repeated with new folds.  None: 10 times up to
        10,000 samples, then as often as 100,000 samples in all allow, at least once.
    max_depth : int, default=None
        Largest depth of the trees; None grows them until the leaves are pure.
    random_state : int, RandomState instance or None, default=0
        Seed of the folds and of the trees.
    n_jobs : int, default=None
        Threads of each fit, as in the estimators.  Fits run one after the other, so that
        their times can be compared.
    task : {"classification", "regression"}, default=None
        What the target is.  None: text, booleans and up to 25 distinct whole numbers are
        classes, other numbers are not; whole numbers follow the criteria that are named.
    progress : callable, default=None
        Called as ``progress(n_done, n_fits)`` after every fit.

    Returns
    -------
    CriteriaComparison
        Rows per criterion and per fold, tests of all pairs, and a summary in sentences.

    Raises
    ------
    ValueError
        If the data, the criteria or the number of folds do not go together.

    Notes
    -----
    Per fold of the classes, on the samples left out of training:

    - ``accuracy``, and ``balanced_accuracy``, the mean recall of the classes in the fold;
    - ``log_loss_bits``: mean of ``-log2`` of the probability given to the true class.  A tree
      grown until its leaves are pure gives probability 0 to what it did not see, so the
      probability is that of the leaf with one more sample, spread over the classes as the
      training samples are (an m-estimate with m = 1; the classes of all training samples are
      in turn counted with one more sample, spread evenly, so that no probability is 0);
    - ``calibration_error``: the expected calibration error of ``predict_proba`` for the
      predicted class, grouped by distinct predicted values.  Groups are small where leaves
      are, which makes it too large on average: compare it between criteria, not with 0.

    Of numbers: ``r2``, ``rmse`` and ``mae``.  Of both ``n_leaves``, ``depth`` and
    ``fit_seconds``.

    Folds share training samples, so their results are not independent and an ordinary t-test
    finds differences that are not there.  The corrected resampled t-test of Nadeau and Bengio
    (2003) adds the share of test to training samples to the variance; its p-values are adjusted
    by Holm's method (1979) over all pairs of criteria, metric by metric.  A tie means that the
    difference is not more than noise (adjusted p-value of 0.05 or more), not that there is none.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from treelearn import compare_criteria
    >>> X, y = load_iris(return_X_y=True)
    >>> result = compare_criteria(X, y, ["gini", "renyi:0.5"], n_repeats=2)
    >>> [row["criterion"] for row in result.rows]
    ['gini', 'renyi:0.5']
    >>> len(result.folds)
    20
    >>> all(row["is_tie"] for row in result.comparisons)
    True
    >>> result.summary.startswith("Ties in accuracy, balanced accuracy, log-loss")
    True
    """
    notes = []
    X, y = _checked_data(X, y, notes)
    specs = _parsed_criteria(criteria)
    task = _checked_task(y, specs, task, notes)
    n_repeats = _checked_repeats(len(y), cv, n_repeats)
    n_classes = None
    if task == "classification":
        y, n_classes = _checked_classes(y, cv, notes)
    else:
        y = _checked_numbers(y, specs, cv)
    specs = specs or _default_specs(task, y, notes)
    seed = int(check_random_state(random_state).randint(2**31 - 1))
    parameters = {"max_depth": max_depth, "random_state": seed, "n_jobs": n_jobs}
    folds = []
    n_fits = cv * n_repeats * len(specs)
    for split, (train, test) in enumerate(_splits(y, task, cv, n_repeats, seed)):
        samples = X[train], y[train], X[test], y[test]
        place = {"repeat": split // cv, "fold": split % cv}
        for label, name, order in specs:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                if task == "classification":
                    values = classification_fold(samples, n_classes, name, order, parameters)
                else:
                    values = regression_fold(samples, name, parameters)
            folds.append({"criterion": label, "order": order, **place, **values})
            _note_warnings(caught, notes)
            if progress is not None:
                progress(len(folds), n_fits)
    return CriteriaComparison(task, *X.shape, n_classes, cv, n_repeats, folds, notes)


def _checked_data(X, y, notes):
    """Return the features and the target of the samples whose target is there."""
    y, is_missing = target_values(y)
    if is_frame(X):
        X, coded = feature_matrix(X)
        if coded:
            notes.append(f"Text and categories became ordinal codes: {enumerate_names(coded)}.")
    X = check_array(X, accept_sparse="csr", ensure_all_finite="allow-nan", input_name="X")
    if X.shape[0] != len(is_missing):
        raise ValueError(
            f"The features have {X.shape[0]} rows and the target has {len(is_missing)}."
        )
    if is_missing.any():
        notes.append(f"Rows without a target, left out: {is_missing.sum():,}.")
        X = X[~is_missing]
    return X, y


def _parsed_criteria(criteria):
    """Return (label, name, order) of every criterion, each once; the order written out."""
    if criteria is None:
        return []
    if isinstance(criteria, str):
        criteria = [criteria]
    specs = {}
    for text in criteria:
        name, order = parse_criterion(text)
        row = CLASSIFICATION_CRITERIA.get(name) or REGRESSION_CRITERIA[name]
        if row.takes_order:
            order = 2.0 if order is None else order
            specs[f"{name}:{order:g}"] = (name, order)
        else:
            specs[name] = (name, None)
    if not specs:
        raise ValueError("No criteria are given.")
    return [(label, name, order) for label, (name, order) in specs.items()]


def _checked_task(y, specs, task, notes):
    """Return the task, after making sure that target, criteria and task agree."""
    if task not in (None, *METRICS):
        raise ValueError(f"The task must be 'classification' or 'regression', not {task!r}.")
    named = {
        "classification" if name in CLASSIFICATION_CRITERIA else "regression": label
        for label, name, _ in specs
    }
    if len(named) > 1:
        raise ValueError(
            f"{named['classification']} is a criterion for classes and {named['regression']} one "
            "for numbers: they cannot be compared."
        )
    possible = _possible_tasks(y)
    chosen = task or next(iter(named), possible[0])
    if named and chosen not in named:
        raise ValueError(f"{named.popitem()[1]} is no criterion for {chosen}.")
    if chosen not in possible:
        kind = "numbers with fractions" if y.dtype.kind == "f" else "classes, not numbers"
        because = f", which {named[chosen]} asks for" if task is None else ""
        raise ValueError(f"The target holds {kind}: no {chosen}{because}.")
    if y.dtype.kind in "iu" and not named and task is None:
        n_distinct = len(np.unique(y))
        if n_distinct > 2:
            notes.append(
                f"The {n_distinct} distinct whole numbers of the target call for {chosen}; "
                f"name the task to have {possible[1]} instead."
            )
    return chosen


def _possible_tasks(y):
    """Return what the target may be, the likelier first."""
    if y.dtype.kind in "bSU":
        return ("classification",)
    if (y != np.floor(y)).any() or np.isinf(y).any():
        return ("regression",)
    likely = "classification", "regression"
    return likely if len(np.unique(y)) <= _MOST_CLASSES_OF_NUMBERS else likely[::-1]


def _checked_repeats(n_samples, cv, n_repeats):
    check_scalar(cv, "cv", Integral, min_val=2)
    if n_samples < cv:
        raise ValueError(f"{n_samples} rows with a target are fewer than {cv} folds.")
    if n_repeats is None:
        return max(1, min(_MOST_REPEATS, _ROWS_OF_ALL_REPEATS // n_samples))
    check_scalar(n_repeats, "n_repeats", Integral, min_val=1)
    return n_repeats


def _checked_classes(y, cv, notes):
    """Return labels 0 .. n_classes - 1 and their number."""
    classes, labels, counts = np.unique(y, return_inverse=True, return_counts=True)
    if len(classes) == 1:
        raise ValueError(f"The target has one class only, {classes[0]!s}: nothing to compare.")
    if counts.max() < cv:
        raise ValueError(
            f"The target has {len(classes)} classes in {len(y)} rows, and none has as many rows "
            f"as there are folds ({cv})."
        )
    rare = [str(name) for name in classes[counts < cv]]
    if rare:
        notes.append(
            f"Classes with fewer rows than there are folds ({cv}), so that some folds lack them: "
            f"{enumerate_names(rare)}."
        )
    return labels, len(classes)


def _checked_numbers(y, specs, cv):
    """Return the target of a regression as float64."""
    y = y.astype(np.float64)
    if np.isinf(y).any():
        raise ValueError("The target holds infinite values.")
    if len(y) < 2 * cv:
        raise ValueError(f"{len(y)} rows with a target are fewer than two for each of {cv} folds.")
    if (y == y[0]).all():
        raise ValueError(f"The target is {y[0]:g} everywhere: nothing to compare.")
    if y.min() < 0 and any(name == "poisson" for _, name, _ in specs):
        raise ValueError("poisson is for targets that are never negative; this one is.")
    return y


def _default_specs(task, y, notes):
    names = DEFAULT_CRITERIA[task]
    if task == "regression" and y.min() < 0:
        names = [name for name in names if name != "poisson"]
        notes.append("poisson is left out: it is for targets that are never negative.")
    return _parsed_criteria(names)


def _splits(y, task, cv, n_repeats, seed):
    """Yield the training and the test samples of every fold, repeat by repeat."""
    splitter = RepeatedStratifiedKFold if task == "classification" else RepeatedKFold
    folds = splitter(n_splits=cv, n_repeats=n_repeats, random_state=seed).split(y, y)
    for _ in range(cv * n_repeats):
        with warnings.catch_warnings():
            # Classes with fewer samples than folds have their own note.
            warnings.filterwarnings("ignore", message="The least populated class")
            fold = next(folds)
        yield fold


def _note_warnings(caught, notes):
    for warning in caught:
        text = str(warning.message)
        if issubclass(warning.category, (UserWarning, FutureWarning)) and text not in notes:
            notes.append(text)


def _difference(first, second):
    """Return first - second, with differences that are no more than rounding set to zero."""
    difference = first - second
    size = np.maximum(np.abs(first), np.abs(second))
    return np.where(np.abs(difference) > 1e-12 * size, difference, 0.0)


def _corrected_t_test(difference, cv):
    """Return the two-sided p-value of Nadeau and Bengio's corrected resampled t-test.

    ``difference`` holds one value per fold of one or several cross-validations with ``cv``
    folds.
    """
    n = len(difference)
    mean, spread = difference.mean(), difference.std(ddof=1)
    if mean == 0.0:
        return 1.0
    if spread <= 1e-12 * abs(mean):
        # No spread to measure against: what is left is that all signs agree.
        return 2.0 ** (1 - n)
    test_to_train = 1.0 / (cv - 1)
    t = mean / (spread * np.sqrt(1.0 / n + test_to_train))
    return float(2.0 * stdtr(n - 1, -abs(t)))


def _holm(p_values):
    """Return p-values adjusted by Holm's step-down method."""
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for n_before, i in enumerate(np.argsort(p_values, kind="stable")):
        largest = max(largest, min(1.0, (len(p_values) - n_before) * p_values[i]))
        adjusted[i] = largest
    return adjusted


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
