"""Class labels beside the probabilities that they are judged by."""

import array_api_compat
import numpy as np

from ._arrays import normalized
from ._host import to_host

__all__ = ["labels_and_proba"]


def labels_and_proba(labels, proba):
    """Return the namespace, labels as int64 of shape (..., n) and probabilities, or raise.

    Labels may come from another library than the probabilities, whose device they go to.

    Raises
    ------
    ValueError
        If a label is no whole number below the number of classes, the shapes do not fit, or
        probabilities are negative or do not sum to one.
    """
    xp, proba, _ = normalized(proba, name="proba")
    if proba.ndim < 2:
        raise ValueError("proba must have the shape of labels and one more axis, the classes.")
    is_array = array_api_compat.is_array_api_obj(labels)
    if not is_array or array_api_compat.array_namespace(labels) is not xp:
        found = to_host(labels) if is_array else np.asarray(labels)
        if found.size == 0:
            found = found.astype(np.int64)
        if found.dtype.kind not in "iu":
            raise ValueError(f"labels must be whole numbers from 0 up, got {found.dtype}.")
        device = array_api_compat.device(proba)
        labels = xp.asarray(found.astype(np.int64), dtype=xp.int64, device=device)
    if not xp.isdtype(labels.dtype, "integral"):
        raise ValueError(f"labels must be whole numbers from 0 up, got {labels.dtype}.")
    if labels.shape != proba.shape[:-1]:
        raise ValueError(
            f"labels have shape {tuple(labels.shape)}, but proba has shape {tuple(proba.shape)}."
        )
    n_classes = proba.shape[-1]
    labels = xp.astype(labels, xp.int64, copy=False)
    if bool(xp.any((labels < 0) | (labels >= n_classes))):
        raise ValueError(f"labels must be within [0, {n_classes}), the classes of proba.")
    return xp, labels, proba
