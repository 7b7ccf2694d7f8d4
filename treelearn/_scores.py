"""What is measured when one criterion is fitted on one fold, and how its parameters are chosen."""

import time
import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import GridSearchCV

from .classifier import DecisionTreeClassifier
from .information import expected_calibration_error
from .regressor import DecisionTreeRegressor

__all__ = [
    "ESTIMATORS",
    "METRICS",
    "Metric",
    "REPORTED",
    "chosen_parameters",
    "classification_scores",
    "fitted_tree",
    "regression_scores",
]


@dataclass(frozen=True)
class Metric:
    """One number by which criteria are compared.

    Attributes
    ----------
    key : str
        Its name in the rows of a result.
    label : str
        Its name in sentences.
    higher_is_better : bool
        Whether the largest value is the best one.
    unit : str
        Its unit; per cent for shares, which the rows hold as numbers between 0 and 1.
    rope : float
        Differences up to this are practically none (region of practical equivalence).
    rope_is_relative : bool
        Whether ``rope`` is a share of the mean of the two values that are compared.
    """

    key: str
    label: str
    higher_is_better: bool = False
    unit: str = ""
    rope: float = 0.01
    rope_is_relative: bool = False

    def equivalence(self, first, second):
        """Return the largest difference of two means that is practically none."""
        if self.rope_is_relative:
            return self.rope * (abs(first) + abs(second)) / 2
        return self.rope

    def text(self, value):
        """Return a value as people read it, with its unit."""
        if self.unit == "%":
            return f"{100 * value:.2f} %"
        number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
        return f"{number} {self.unit}".rstrip()


METRICS = {
    "classification": (
        Metric("accuracy", "accuracy", higher_is_better=True, unit="%"),
        Metric("balanced_accuracy", "balanced accuracy", higher_is_better=True, unit="%"),
        Metric("log_loss_bits", "log-loss", unit="bits"),
        Metric("brier", "Brier score"),
        Metric("calibration_error", "calibration error", unit="%"),
        Metric("n_leaves", "number of leaves", rope=0.05, rope_is_relative=True),
    ),
    "regression": (
        Metric("r2", "R2", higher_is_better=True),
        Metric("rmse", "RMSE", rope_is_relative=True),
        Metric("mae", "MAE", rope_is_relative=True),
        Metric("n_leaves", "number of leaves", rope=0.05, rope_is_relative=True),
    ),
}
"""What is compared, and tested for being more than noise."""

REPORTED = ("depth", "fit_seconds", "predict_seconds")
"""Reported beside the metrics and not tested.

The depth says little beyond the leaves, and times are a property of the machine.
"""

ESTIMATORS = {"classification": DecisionTreeClassifier, "regression": DecisionTreeRegressor}

_INNER_SCORING = {"classification": "accuracy", "regression": "neg_root_mean_squared_error"}


def fitted_tree(task, name, parameters, X, y):
    """Fit one tree.

    Parameters
    ----------
    task : {"classification", "regression"}
        Which estimator.
    name : str
        Criterion.
    parameters : dict
        Further parameters of the estimator.
    X, y : arrays
        Training samples.

    Returns
    -------
    tree : DecisionTreeClassifier or DecisionTreeRegressor
        The fitted tree.
    size : dict
        ``n_leaves``, ``depth`` and ``fit_seconds``.
    """
    tree = ESTIMATORS[task](criterion=name, **parameters)
    start = time.perf_counter()
    tree.fit(X, y)
    seconds = time.perf_counter() - start
    size = {"n_leaves": int(tree.get_n_leaves()), "depth": int(tree.get_depth())}
    return tree, {**size, "fit_seconds": seconds}


def chosen_parameters(task, name, parameters, grid, inner, X, y, groups=None):
    """Choose parameters by cross-validation within the training samples.

    Parameters
    ----------
    task : {"classification", "regression"}
        Classes are scored by accuracy, numbers by RMSE.
    name : str
        Criterion.
    parameters : dict
        Parameters that are fixed.
    grid : dict of list
        Values of the parameters to choose among.
    inner : int or splitter
        The inner folds.
    X, y : arrays
        Training samples.
    groups : ndarray or None
        Their groups.

    Returns
    -------
    dict
        The chosen value of every parameter of the grid; the first one among equals.
    """
    search = GridSearchCV(
        ESTIMATORS[task](criterion=name, **parameters),
        grid,
        scoring=_INNER_SCORING[task],
        cv=inner,
        refit=False,
        error_score="raise",
    )
    with warnings.catch_warnings():
        # Of the whole table, classes with few samples have their own note.
        warnings.filterwarnings("ignore", message="The least populated class")
        search.fit(X, y, groups=groups)
    return search.best_params_


def classification_scores(tree, n_classes, samples):
    """Measure a classifier on the samples left out.

    Parameters
    ----------
    tree : DecisionTreeClassifier
        Fitted on the training samples.
    n_classes : int
        Number of classes.
    samples : tuple of (X_train, y_train, X_test, y_test)
        Labels are integers below ``n_classes``; training samples may lack some of them.

    Returns
    -------
    dict
        One value per metric of classification but the size, and ``predict_seconds``.
    """
    _, y_train, X_test, y_test = samples
    start = time.perf_counter()
    leaf = tree.apply(X_test)
    seconds = time.perf_counter() - start

    # Every score is a function of the leaf and of the true class.
    leaves, leaf = np.unique(leaf, return_inverse=True)
    shares = np.zeros((len(leaves), n_classes))
    shares[:, tree.classes_] = tree.tree_.value[leaves, 0, :]
    n_leaf = tree.tree_.weighted_n_node_samples[leaves][leaf]
    is_right = shares.argmax(axis=1)[leaf] == y_test
    confidence = shares.max(axis=1)[leaf]
    of_truth = shares[leaf, y_test]

    n_of_class = np.bincount(y_test, minlength=n_classes)
    n_right = np.bincount(y_test[is_right], minlength=n_classes)
    present = n_of_class > 0
    # One more sample for the training set, spread evenly, and one for the leaf, spread as the
    # training set is: no class has probability 0, not even one that only the test fold holds.
    training_shares = np.bincount(y_train, minlength=n_classes) + 1 / n_classes
    training_shares /= len(y_train) + 1
    probability = (n_leaf * of_truth + training_shares[y_test]) / (n_leaf + 1)
    squares = (shares**2).sum(axis=1)[leaf] - 2 * of_truth + 1
    return {
        "accuracy": float(is_right.mean()),
        "balanced_accuracy": float((n_right[present] / n_of_class[present]).mean()),
        "log_loss_bits": float(-np.log2(probability).mean()),
        "brier": float(squares.mean()) / (2 if n_classes == 2 else 1),
        "calibration_error": float(
            expected_calibration_error(confidence, is_right, binning="distinct_values")
        ),
        "predict_seconds": seconds,
    }


def regression_scores(tree, samples):
    """Measure a regressor; parameters as in `classification_scores`."""
    _, _, X_test, y_test = samples
    start = time.perf_counter()
    predicted = tree.predict(X_test)
    seconds = time.perf_counter() - start
    return {
        "r2": float(r2_score(y_test, predicted)),
        "rmse": float(root_mean_squared_error(y_test, predicted)),
        "mae": float(mean_absolute_error(y_test, predicted)),
        "predict_seconds": seconds,
    }
