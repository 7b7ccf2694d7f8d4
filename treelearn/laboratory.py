"""Comparison of split criteria, by cross-validation on equal folds, on one table or several.

Every criterion is fitted on the same folds, so that criteria are compared fold by fold.
"""

import numpy as np
from sklearn.utils import check_random_state

from ._comparison import CriteriaComparison, CriteriaStudy
from ._study import FitStore, StudyPlan, folds_of, run_study
from ._study_data import (
    DEFAULT_CRITERIA,
    checked_classes,
    checked_data,
    checked_numbers,
    checked_repeats,
    checked_task,
    data_hash,
    default_specs,
    parsed_criteria,
)
from ._threads import check_n_jobs
from ._tree_distance import tree_differences

__all__ = [
    "CriteriaComparison",
    "CriteriaStudy",
    "DEFAULT_CRITERIA",
    "DEFAULT_GRID",
    "ORDERS",
    "compare_criteria",
    "criteria_of_orders",
    "tree_differences",
]

ORDERS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Orders of a curve of score against order."""

DEFAULT_GRID = {
    "order": (0.5, 1.0, 2.0, 4.0),
    "max_depth": (3, 6, 12, None),
    "min_samples_leaf": (1, 5, 20),
}
"""What nested cross-validation chooses among where no grid is named."""


def criteria_of_orders(families=("renyi", "tsallis"), orders=ORDERS):
    """Return the names of the criteria of a curve of score against order.

    Parameters
    ----------
    families : sequence of str, default=("renyi", "tsallis")
        Criteria that take an order.
    orders : sequence of float
        Their orders.

    Returns
    -------
    list of str
        Such as ``"renyi:0.5"``, family by family, for `compare_criteria`.

    Examples
    --------
    >>> from treelearn.laboratory import criteria_of_orders
    >>> criteria_of_orders(["renyi"], [0.5, 2])
    ['renyi:0.5', 'renyi:2']
    """
    return [f"{family}:{order:g}" for family in families for order in orders]


def compare_criteria(
    X,
    y,
    criteria=None,
    *,
    cv=5,
    n_repeats=None,
    groups=None,
    grid=None,
    inner_cv=None,
    max_depth=None,
    random_state=0,
    n_jobs=None,
    task=None,
    store=None,
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
    cv : int or splitter, default=5
        Folds of one cross-validation, stratified by class; or any splitter of scikit-learn,
        such as ``GroupKFold``, ``TimeSeriesSplit`` or ``RepeatedStratifiedKFold``.
    n_repeats : int, default=None
        How often a number of folds is repeated with new folds.  None: 10 times up to
        10,000 samples, then as often as 100,000 samples in all allow, at least once.
    groups : array-like of shape (n_samples,), default=None
        Groups, for splitters that keep the samples of a group together.
    grid : dict of list, default=None
        Nested cross-validation: values of the trees' parameters, chosen for each fold and
        criterion by cross-validation within its training samples, by accuracy or RMSE.
        ``order`` is chosen for families that are named without one.  `DEFAULT_GRID` is one.
    inner_cv : int or splitter, default=None
        Folds of that choice.  None: 3, or the splitter that ``cv`` is.
    max_depth : int, default=None
        Largest depth of the trees; None grows them until the leaves are pure.
    random_state : int, RandomState instance or None, default=0
        Seed of the folds and of the trees.
    n_jobs : int, default=None
        None: one fit after the other, each with all threads, so that times can be compared.
        A number: so many folds side by side in processes of their own, one thread each; -1 for
        as many as there are processors.  Scores do not depend on it.
    task : {"classification", "regression"}, default=None
        What the target is.  None: text, booleans and up to 25 distinct whole numbers are
        classes, other numbers are not; whole numbers follow the criteria that are named.
    store : path, default=None
        File in which every fit is written down as it ends.  A study that finds its fits there
        takes them over: one that was stopped goes on where it was.  One file may hold many
        studies.
    progress : callable, default=None
        Called as ``progress(n_done, n_fits)`` after every fit.

    Returns
    -------
    CriteriaComparison
        Rows per criterion and per fold, tests of all pairs, and a summary in sentences.

    Raises
    ------
    ValueError
        If the data, the criteria or the folds do not go together, or the store is another
        kind of file.

    Notes
    -----
    Per fold of the classes, on the samples left out of training:

    - ``accuracy``, and ``balanced_accuracy``, the mean recall of the classes in the fold;
    - ``log_loss_bits``: mean of ``-log2`` of the probability given to the true class.  A tree
      grown until its leaves are pure gives probability 0 to what it did not see, so the
      probability is that of the leaf with one more sample, spread over the classes as the
      training samples are (an m-estimate with m = 1; the classes of all training samples are
      in turn counted with one more sample, spread evenly, so that no probability is 0);
    - ``brier``: Brier's score (1950) of ``predict_proba``, halved for two classes, as in
      scikit-learn's ``brier_score_loss``;
    - ``calibration_error``: the expected calibration error of ``predict_proba`` for the
      predicted class, grouped by distinct predicted values.  Groups are small where leaves
      are, which makes it too large on average: compare it between criteria, not with 0.

    Of numbers: ``r2``, ``rmse`` and ``mae``.  Of both ``n_leaves``, ``depth``, ``fit_seconds``
    and ``predict_seconds``.

    Folds share training samples, so their results are not independent and an ordinary t-test
    finds differences that are not there.  The corrected resampled t-test of Nadeau and Bengio
    (2003) adds the share of test to training samples to the variance; its p-values are adjusted
    by Holm's method (1979) over all pairs of criteria, metric by metric.  A tie means that the
    difference is not more than noise (adjusted p-value of 0.05 or more), not that there is none.
    The correlated t-test of Corani and Benavoli (2015) gives the probability that there is
    practically none: within 0.01, for RMSE and MAE within 1 %, for leaves within 5 %.

    For several tables, make a `CriteriaStudy` of their comparisons.

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
    X, y, groups = checked_data(X, y, groups, notes)
    grid = _checked_grid(grid, max_depth)
    specs = parsed_criteria(criteria, "order" in grid)
    task = checked_task(y, specs, task, notes)
    is_splitter = hasattr(cv, "split")
    if is_splitter:
        if n_repeats not in (None, 1):
            raise ValueError("n_repeats goes with a number of folds; a splitter repeats itself.")
        n_repeats = 1
    else:
        n_repeats = checked_repeats(len(y), cv, n_repeats)
    least = 2 if is_splitter else cv
    n_classes = None
    if task == "classification":
        y, n_classes = checked_classes(y, least, notes)
    else:
        y = checked_numbers(y, specs, least)
    specs = specs or default_specs(task, y, notes)
    check_n_jobs(n_jobs)
    seed = int(check_random_state(random_state).randint(2**31 - 1))
    parameters = {"random_state": seed, "n_jobs": None if n_jobs is None else 1}
    if "max_depth" not in grid:
        parameters["max_depth"] = max_depth
    folds = folds_of(X, y, groups, task, cv, n_repeats, seed)
    found_hash = data_hash(X, y)
    if inner_cv is None:
        inner_cv = cv if is_splitter else 3
    plan = StudyPlan(task, n_classes, specs, parameters, grid, inner_cv, found_hash)
    opened = None if store is None else FitStore(store)
    try:
        rows = run_study(
            *(X, y, groups, folds, plan), store=opened, n_jobs=n_jobs, progress=progress
        )
    finally:
        if opened is not None:
            opened.close()
    folds_per_repeat = len(folds) // n_repeats
    settings = {
        "splitter": _splitter_name(cv, task),
        "test_to_train": float(np.mean([len(test) / len(train) for train, test in folds])),
        "seed": seed,
        "max_depth": max_depth,
        "grid": {name: list(values) for name, values in grid.items()},
        "data_hash": found_hash,
    }
    table = _fold_rows(rows, specs, folds_per_repeat, notes)
    size = (*X.shape, n_classes)
    return CriteriaComparison(task, *size, folds_per_repeat, n_repeats, table, notes, settings)


def _checked_grid(grid, max_depth):
    if not grid:
        return {}
    if "max_depth" in grid and max_depth is not None:
        grid = {name: values for name, values in grid.items() if name != "max_depth"}
    for name, values in grid.items():
        if isinstance(values, str) or not hasattr(values, "__len__") or not len(values):
            raise ValueError(f"The grid must give a list of values for {name!r}.")
    return dict(grid)


def _splitter_name(cv, task):
    if hasattr(cv, "split"):
        return repr(cv)
    return "RepeatedStratifiedKFold" if task == "classification" else "RepeatedKFold"


def _fold_rows(rows, specs, folds_per_repeat, notes):
    """Return the rows of the folds, after moving the warnings of the fits into the notes."""
    table = []
    for i, row in enumerate(rows):
        label, _, order = specs[i % len(specs)]
        split = i // len(specs)
        place = {"repeat": split // folds_per_repeat, "fold": split % folds_per_repeat}
        values = {key: value for key, value in row.items() if key != "warnings"}
        table.append({"criterion": label, "order": order, **place, **values})
        notes.extend(text for text in row["warnings"] if text not in notes)
    return table
