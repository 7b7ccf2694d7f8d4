"""The tree as a treelite model, which compiles trees and runs them in other places."""

import warnings

import numpy as np

from ..model import Model
from ._base import Export, check_known_arrays

__all__ = ["TreeliteExport", "to_treelite"]


class TreeliteExport(Export):
    """A tree as a ``treelite.Model``, the attribute ``treelite_model``, and as its bytes."""

    def __init__(self, model, treelite_model):
        self.treelite_model = treelite_model
        super().__init__(model, treelite_model.serialize_bytes())

    def _run(self, rows):
        import treelite

        model = self.model
        got = treelite.gtil.predict(self.treelite_model, rows)
        got = got.reshape(len(rows), model.n_outputs, -1)
        found = {}
        for output in range(model.n_outputs):
            mark = f" {output}" if model.n_outputs > 1 else ""
            if not model.is_classifier:
                found[f"prediction{mark}"] = got[:, output, 0]
                continue
            labels = model.classes[output]
            shares = got[:, output, : len(labels)]
            found[f"prediction{mark}"] = labels[shares.argmax(axis=1)]
            found[f"probability{mark}"] = shares
        return found


def to_treelite(tree):
    """Return a tree as a treelite model of one tree, by way of ``to_sklearn()``.

    Parameters
    ----------
    tree : Model or fitted estimator
        The tree.

    Returns
    -------
    TreeliteExport
        Its ``treelite_model`` takes float64 rows, NaN where a value is missing, and returns
        class shares or numbers; ``save`` writes treelite's serialization.

    Raises
    ------
    ImportError
        If treelite is not installed.
    TypeError, ValueError
        If it is no fitted tree; if a classifier has one class only, or several outputs, which
        treelite's reader does not know.
    """
    try:
        import treelite
    except ImportError as error:
        raise ImportError('treelite is needed: pip install "treelearn[export]"') from error
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    model = Model.of(tree)
    check_known_arrays(model.estimator._tree)
    if model.is_classifier:
        if model.n_outputs > 1:
            raise ValueError("to_treelite takes classifiers of one output.")
        if len(model.classes[0]) < 2:
            raise ValueError("to_treelite takes classifiers of two classes or more.")
    with warnings.catch_warnings():
        # treelite compares in float64, as the tree does: nothing is lost.
        warnings.filterwarnings("ignore", message=".*tell values apart that are equal as float32")
        twin = model.estimator.to_sklearn()
    # treelite reads forests alone: one of a single tree, ours.
    forest_class = RandomForestClassifier if model.is_classifier else RandomForestRegressor
    forest = forest_class(n_estimators=1)
    forest.estimators_ = [twin]
    forest.n_features_in_ = twin.n_features_in_
    forest.n_outputs_ = twin.n_outputs_
    if model.is_classifier:
        forest.classes_, forest.n_classes_ = np.arange(twin.n_classes_), int(twin.n_classes_)
    return TreeliteExport(model, treelite.sklearn.import_model(forest))
