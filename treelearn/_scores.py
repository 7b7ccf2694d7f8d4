"""What is measured when one criterion is fitted on one fold.

Every function of a fold returns one value per metric of its task, the size of the tree and the
time of its fit.
"""

import time
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from .classifier import DecisionTreeClassifier
from .information import expected_calibration_error
from .regressor import DecisionTreeRegressor

__all__ = ["METRICS", "Metric", "REPORTED", "classification_fold", "regression_fold"]


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
    """

    key: str
    label: str
    higher_is_better: bool = False
    unit: str = ""

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
        Metric("calibration_error", "calibration error", unit="%"),
        Metric("n_leaves", "number of leaves"),
    ),
    "regression": (
        Metric("r2", "R2", higher_is_better=True),
        Metric("rmse", "RMSE"),
        Metric("mae", "MAE"),
        Metric("n_leaves", "number of leaves"),
    ),
}
"""What is compared, and tested for being more than noise."""

REPORTED = ("depth", "fit_seconds")
"""Reported beside the metrics and not tested.

The depth says little beyond the leaves, and the time is a property of the machine.
"""


def _fitted(tree, X, y):
    """Fit a tree and return its size and its fit time."""
    start = time.perf_counter()
    tree.fit(X, y)
    seconds = time.perf_counter() - start
    return {
        "n_leaves": int(tree.get_n_leaves()),
        "depth": int(tree.get_depth()),
        "fit_seconds": seconds,
    }


def classification_fold(samples, n_classes, name, order, parameters):
    """Fit a classifier and measure it.

    Parameters
    ----------
    samples : tuple of (X_train, y_train, X_test, y_test)
        Labels are integers below ``n_classes``; training samples may lack some of them.
    n_classes : int
        Number of classes.
    name : str
        Criterion.
    order : float or None
        Its order, None where it takes none.
    parameters : dict
        Further parameters of the estimator.

    Returns
    -------
    dict
        One value per metric of classification, and the size of the tree.
    """
    X_train, y_train, X_test, y_test = samples
    tree = DecisionTreeClassifier(criterion=name, **parameters)
    if order is not None:
        tree.set_params(order=order)
    size = _fitted(tree, X_train, y_train)

    # Every score is a function of the leaf and of the true class.
    leaf = tree.apply(X_test)
    shares = np.zeros((tree.tree_.node_count, n_classes))
    shares[:, tree.classes_] = tree.tree_.value[:, 0, :]
    n_node_samples = tree.tree_.weighted_n_node_samples
    is_right = shares.argmax(axis=1)[leaf] == y_test
    confidence = shares.max(axis=1)[leaf]

    n_of_class = np.bincount(y_test, minlength=n_classes)
    n_right = np.bincount(y_test[is_right], minlength=n_classes)
    present = n_of_class > 0
    # One more sample for the training set, spread evenly, and one for the leaf, spread as the
    # training set is: no class has probability 0, not even one that only the test fold holds.
    training_shares = np.bincount(y_train, minlength=n_classes) + 1 / n_classes
    training_shares /= len(y_train) + 1
    n_leaf = n_node_samples[leaf]
    probability = (n_leaf * shares[leaf, y_test] + training_shares[y_test]) / (n_leaf + 1)
    return {
        "accuracy": float(is_right.mean()),
        "balanced_accuracy": float((n_right[present] / n_of_class[present]).mean()),
        "log_loss_bits": float(-np.log2(probability).mean()),
        "calibration_error": float(
            expected_calibration_error(confidence, is_right, binning="distinct_values")
        ),
        **size,
    }


def regression_fold(samples, name, parameters):
    """Fit a regressor and measure it; parameters as in `classification_fold`."""
    X_train, y_train, X_test, y_test = samples
    tree = DecisionTreeRegressor(criterion=name, **parameters)
    size = _fitted(tree, X_train, y_train)
    predicted = tree.predict(X_test)
    return {
        "r2": float(r2_score(y_test, predicted)),
        "rmse": float(root_mean_squared_error(y_test, predicted)),
        "mae": float(mean_absolute_error(y_test, predicted)),
        **size,
    }
