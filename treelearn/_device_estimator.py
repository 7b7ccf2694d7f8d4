"""Fitting and predicting on a GPU: what the estimators do there in the place of their own way."""

import numpy as np
from sklearn.utils import compute_class_weight, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from ._device import (
    device_data,
    device_rows,
    device_weights,
    handed_back,
    is_on_gpu,
    open_engine,
)
from ._predict import pack_steps
from ._validation import check_n_labels

__all__ = ["labels_on", "look_up_on_gpu", "targets_on"]

# Labels of a range up to this are found by marking those that are there.
_WIDEST_RANGE = 2**24


def labels_on(engine, estimator, X, y, sample_weight, check_input, encode):
    """Return what a classifier grows its tree from, checked and on the device.

    Parameters
    ----------
    engine : Engine
        Where.
    estimator : DecisionTreeClassifier
        Takes number and names of the features.
    X, y, sample_weight, check_input
        As of its ``fit``.
    encode : callable
        Returns the classes of a column of labels on the host, and the code of each label.

    Returns
    -------
    X : array of shape (n_rows, n_features)
        float32 or float64.
    labels : array of shape (n_outputs, n_rows)
        int32.
    classes : list of ndarray
        Of every output, on the host.
    weights : array of shape (n_rows,) or None
        float64.
    """
    xp = engine.xp
    on_gpu = is_on_gpu(X) and is_on_gpu(y)
    X, y = device_data(estimator, engine, X, y, check_input)
    columns = y[:, None] if y.ndim == 1 else y
    check_n_labels(len(columns), X)
    if not on_gpu:
        check_classification_targets(columns)
    encoded = [_encode_on(engine, c) if on_gpu else encode(c) for c in columns.T]
    classes = [found.astype(y.dtype, copy=False) for found, _ in encoded]
    labels = xp.stack([xp.asarray(codes, dtype=np.int32) for _, codes in encoded])
    weights = device_weights(engine, sample_weight, X.shape[0])
    if estimator.class_weight is not None:
        factor = _class_weights(engine, estimator.class_weight, labels, classes)
        weights = factor if weights is None else weights * factor
        weights = device_weights(engine, weights, X.shape[0], is_moved=True)
    return X, labels, classes, weights


def targets_on(engine, estimator, X, y, sample_weight, check_input):
    """Return what a regressor grows its tree from, checked and on the device.

    Returns
    -------
    X : array of shape (n_rows, n_features)
        float32 or float64.
    targets : array of shape (n_outputs, n_rows)
        float64.
    weights : array of shape (n_rows,) or None
        float64.
    """
    xp = engine.xp
    X, y = device_data(estimator, engine, X, y, check_input)
    columns = y[:, None] if y.ndim == 1 else y
    targets = xp.ascontiguousarray(xp.asarray(columns.T, dtype=np.float64))
    check_n_labels(targets.shape[1], X)
    weights = device_weights(engine, sample_weight, X.shape[0])
    return X, targets, weights


def look_up_on_gpu(estimator, X, check_input, name, make):
    """Return for every row of an array on a GPU what its leaf holds, there.

    ``make(tree)`` gives what the nodes hold, an array of shape (n_nodes, ...) that is kept under
    its name. Text, for which a GPU has no arrays, is looked up on the host.
    """
    tree = vars(estimator).get("_tree")
    if tree is None:
        check_is_fitted(estimator)  # says in scikit-learn's words that it is not
    engine = open_engine()
    xp = engine.xp
    rows = device_rows(estimator, engine, X, check_input)
    steps, nodes = estimator._derive("steps", lambda: pack_steps(tree))
    key = ("gpu", engine.number)
    steps = estimator._derive((*key, "steps"), lambda: xp.asarray(steps.view(np.int64)))
    places = engine.values.route(steps, rows)
    held = estimator._derive(("by place", name), lambda: make(tree)[nodes])
    if held.dtype.kind not in "biuf":
        return held[engine.on_host(places)]
    held = estimator._derive((*key, name), lambda: xp.asarray(held))
    return handed_back(held[places], X)


def _encode_on(engine, labels):
    """Return the distinct labels, sorted and on the host, and the place of each label."""
    xp = engine.xp
    whole = labels.astype(np.int64)
    if labels.dtype.kind == "f" and bool((whole != labels).any()):
        check_classification_targets(engine.on_host(labels[whole != labels][:10]))
    lowest, highest = int(whole.min()), int(whole.max())
    if highest - lowest >= _WIDEST_RANGE:
        found, codes = xp.unique(whole, return_inverse=True)
        return engine.on_host(found), codes.ravel()
    whole -= lowest
    is_there = xp.zeros(highest - lowest + 1, dtype=bool)
    is_there[whole] = True
    places = xp.cumsum(is_there, dtype=np.int32) - 1
    return lowest + np.flatnonzero(engine.on_host(is_there)), places[whole]


def _class_weights(engine, class_weight, labels, classes):
    """Return the weight of every sample by its classes, as ``compute_sample_weight``."""
    xp = engine.xp
    if class_weight != "balanced":
        # Every class once: what is wrong with the weights does not depend on how often.
        n_most = max(len(found) for found in classes)
        every = [found[np.minimum(np.arange(n_most), len(found) - 1)] for found in classes]
        compute_sample_weight(class_weight, np.stack(every, axis=1))
    product = None
    for output, (codes, found) in enumerate(zip(labels, classes, strict=True)):
        if class_weight == "balanced":
            counts = engine.on_host(xp.bincount(codes, minlength=len(found)))
            weight = len(codes) / (len(found) * counts.astype(np.float64))
        else:
            of_output = class_weight if len(classes) == 1 else class_weight[output]
            weight = compute_class_weight(of_output, classes=found, y=found)
        factor = xp.asarray(weight)[codes]
        product = factor if product is None else product * factor
    return product
