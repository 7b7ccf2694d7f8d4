"""The tree as a treelite model, which compiles trees and runs them in other places."""

import numpy as np

from ..model import Model
from ._base import Export, Leaves

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
        for output, mark in enumerate(model.output_marks()):
            if not model.is_classifier:
                found[f"prediction{mark}"] = got[:, output, 0]
                continue
            labels = model.classes[output]
            shares = got[:, output, : len(labels)]
            found[f"prediction{mark}"] = labels[shares.argmax(axis=1)]
            found[f"probability{mark}"] = shares
        return found


def to_treelite(tree):
    """Return a tree as a treelite model of one tree.

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
        If it is no fitted tree, or a classifier of one class, which treelite does not know.

    Notes
    -----
    ``treelite.sklearn.import_model`` reads the result of ``to_sklearn()`` inside a forest as
    well, but divides class shares by their sum once more, which changes last digits.
    """
    try:
        from treelite import model_builder
    except ImportError as error:
        raise ImportError('treelite is needed: pip install "treelearn[export]"') from error
    model = Model.of(tree)
    leaves = Leaves(model)
    inner, n_outputs = leaves.tree, model.n_outputs
    n_classes = [len(labels) for labels in model.classes or [[0]] * n_outputs]
    if model.is_classifier and min(n_classes) < 2:
        raise ValueError("to_treelite takes classifiers of two classes or more.")
    width = max(n_classes)
    outcomes = np.zeros((len(leaves.nodes), n_outputs, width))
    for k, n in enumerate(n_classes):
        is_share = model.is_classifier
        outcomes[:, k, :n] = leaves.shares[k] if is_share else leaves.predictions(k)[:, None]
    builder = model_builder.ModelBuilder(
        threshold_type="float64",
        leaf_output_type="float64",
        metadata=model_builder.Metadata(
            num_feature=len(model.columns),
            task_type="kMultiClf" if model.is_classifier else "kRegressor",
            average_tree_output=False,
            num_target=n_outputs,
            num_class=n_classes,
            leaf_vector_shape=(n_outputs, width),
        ),
        tree_annotation=model_builder.TreeAnnotation(
            num_tree=1, target_id=[-1 if n_outputs > 1 else 0], class_id=[-1 if width > 1 else 0]
        ),
        postprocessor=model_builder.PostProcessorFunc(
            name="identity_multiclass" if model.is_classifier else "identity"
        ),
        base_scores=[0.0] * (n_outputs * width),
    )
    _add_nodes(builder, inner, outcomes)
    return TreeliteExport(model, builder.commit())


def _add_nodes(builder, tree, outcomes):
    left, right = tree.children_left.tolist(), tree.children_right.tolist()
    feature, threshold = tree.feature.tolist(), tree.threshold.tolist()
    misses_left = tree.missing_go_to_left.tolist()
    is_vector = outcomes[0].size > 1
    flat = iter(outcomes.reshape(len(outcomes), -1).tolist())
    builder.start_tree()
    for node in range(tree.node_count):
        builder.start_node(node)
        if left[node] == -1:
            values = next(flat)
            builder.leaf(values if is_vector else values[0])
        else:
            builder.numerical_test(
                feature_id=feature[node],
                threshold=threshold[node],
                default_left=bool(misses_left[node]),
                opname="<=",
                left_child_key=left[node],
                right_child_key=right[node],
            )
        builder.end_node()
    builder.end_tree()
