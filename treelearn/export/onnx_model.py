"""The tree as ONNX, in float64 from the thresholds to the class shares."""

from types import SimpleNamespace

import numpy as np

from ..classifier import DecisionTreeClassifier
from ..model import Model
from ..regressor import DecisionTreeRegressor
from ._base import Export, Leaves
from .model_json import columns_as_json

__all__ = ["OnnxExport", "register_with_skl2onnx", "to_onnx"]

# onnxruntime builds its trees by recursion: 20,000 levels end the process on 8 MiB of stack, and
# threads may have a sixteenth of that.
_DEEPEST = 1000
_MOST_BYTES = 2**31 - 2**20
# Old enough for every onnxruntime that numpy 2 works with.
_OPSETS = {"": 17, "ai.onnx.ml": 3}
# The operator returns float32, which holds whole numbers up to here.
_MOST_LEAVES = 2**24
_CLASSIFIER = "TreelearnDecisionTreeClassifier"


class OnnxExport(Export):
    """A tree as an ``onnx.ModelProto``, the attribute ``onnx_model``, and as its bytes."""

    def __init__(self, model, onnx_model):
        self.onnx_model = onnx_model
        super().__init__(model, onnx_model.SerializeToString())

    def _run(self, rows):
        runtime = _imported().onnxruntime
        session = runtime.InferenceSession(self.content, providers=["CPUExecutionProvider"])
        got = session.run(None, {session.get_inputs()[0].name: rows})
        model = self.model
        if not model.is_classifier:
            values = got[0].reshape(len(rows), model.n_outputs)
            marks = [f" {k}" if model.n_outputs > 1 else "" for k in range(model.n_outputs)]
            return {f"prediction{mark}": values[:, k] for k, mark in enumerate(marks)}
        predictions = got[0]
        if model.classes[0].dtype.kind == "b":
            predictions = predictions.astype(bool)
        return {"prediction": predictions, "probability": got[1]}


def to_onnx(tree):
    """Return a tree as an ONNX model that compares and predicts in float64.

    Parameters
    ----------
    tree : Model or fitted estimator
        The tree.

    Returns
    -------
    OnnxExport
        Its ``onnx_model`` takes ``X``, float64 of shape (n_samples, n_features), NaN where a
        value is missing, and returns ``label`` and ``probabilities``, or ``variable`` of a
        regression. Categories are codes; ``metadata_props`` says which, as JSON under
        ``columns``. ``save`` writes the file.

    Raises
    ------
    ImportError
        If skl2onnx, onnx or onnxruntime is not installed.
    TypeError, ValueError
        If it is no fitted tree; if a classifier has several outputs, or labels that are neither
        whole numbers nor text; if the tree is deeper than 1,000 levels, for which onnxruntime
        may run out of stack; if it would be larger than the 2 GiB of an ONNX file.

    Notes
    -----
    ONNX' operators for trees compare in float64 and return float32. Here one finds the number
    of the leaf, which float32 holds exactly, and the leaf's float64 numbers are looked up.
    """
    libraries = _imported()
    model = Model.of(tree)
    register_with_skl2onnx()
    n_features = len(model.columns)
    double = libraries.types.DoubleTensorType([None, n_features])
    onnx_model = libraries.skl2onnx.to_onnx(
        model.estimator,
        initial_types=[("X", double)],
        target_opset=_OPSETS,
    )
    entry = onnx_model.metadata_props.add()
    entry.key, entry.value = "columns", columns_as_json(model)
    return OnnxExport(model, onnx_model)


def register_with_skl2onnx():
    """Teach ``skl2onnx.to_onnx`` treelearn's estimators, alone or inside pipelines.

    Classifiers return two arrays, as under skl2onnx's option ``zipmap=False``: its default, a
    list of dicts, holds float32 only.

    Raises
    ------
    ImportError
        If skl2onnx or onnx is not installed.
    """
    register = _imported().skl2onnx.update_registered_converter
    register(
        DecisionTreeClassifier,
        _CLASSIFIER,
        _set_output_types,
        _convert,
        parser=_parse_classifier,
        options={"zipmap": [False]},
    )
    register(
        DecisionTreeRegressor,
        "TreelearnDecisionTreeRegressor",
        _set_output_types,
        _convert,
    )


def _imported():
    try:
        import onnxruntime
        import skl2onnx
        import skl2onnx.common.data_types
        from onnx import TensorProto, numpy_helper
    except ImportError as error:
        raise ImportError(
            'skl2onnx and onnxruntime are needed: pip install "treelearn[export]"'
        ) from error
    return SimpleNamespace(
        onnxruntime=onnxruntime,
        skl2onnx=skl2onnx,
        types=skl2onnx.common.data_types,
        TensorProto=TensorProto,
        tensor=numpy_helper.from_array,
    )


def _parse_classifier(scope, estimator, inputs, custom_parsers=None):
    """Declare a classifier and its two outputs; `_set_output_types` says of what type."""
    types = _imported().types
    operator = scope.declare_local_operator(_CLASSIFIER, estimator)
    operator.inputs = inputs
    for name, kind in (("label", types.Int64TensorType), ("probabilities", types.DoubleTensorType)):
        operator.outputs.append(scope.declare_local_variable(name, kind()))
    return operator.outputs


def _set_output_types(operator):
    """Tell skl2onnx what comes out: float64 whatever goes in."""
    types = _imported().types
    estimator = operator.raw_operator
    n_rows = operator.inputs[0].type.shape[0]
    if not isinstance(estimator, DecisionTreeClassifier):
        operator.outputs[0].type = types.DoubleTensorType([n_rows, estimator.n_outputs_])
        return
    if estimator.n_outputs_ > 1:
        raise ValueError("to_onnx takes classifiers of one output.")
    is_text = estimator.classes_.dtype.kind in "UO"
    label = types.StringTensorType if is_text else types.Int64TensorType
    operator.outputs[0].type = label([n_rows])
    operator.outputs[1].type = types.DoubleTensorType([n_rows, len(estimator.classes_)])


def _convert(scope, operator, container):
    """Add the nodes of one tree to a graph, as skl2onnx asks a converter to."""
    model = Model.of(operator.raw_operator)
    leaves = Leaves(model)
    _check(model, leaves)
    libraries = _imported()
    double, whole = libraries.TensorProto.DOUBLE, libraries.TensorProto.INT64

    def name(what):
        return scope.get_unique_variable_name(what)

    def constant(what, kind, values):
        values = np.asarray(values)
        named = name(what)
        container.add_initializer(named, kind, list(values.shape), values.ravel().tolist())
        return named

    def add(kind, inputs, output, **attributes):
        container.add_node(
            kind, inputs, output, name=scope.get_unique_operator_name(kind), **attributes
        )
        return output

    values = add("Cast", [operator.inputs[0].full_name], name("float64"), to=double)
    found = add(
        "TreeEnsembleRegressor",
        [values],
        name("leaf_as_float32"),
        op_domain="ai.onnx.ml",
        op_version=_OPSETS["ai.onnx.ml"],
        **_ensemble(leaves, libraries.tensor),
    )
    column = add("Cast", [found], name("leaf_column"), to=whole)
    flat = constant("flat", whole, [-1])
    leaf = add("Reshape", [column, flat], name("leaf"))

    def look_up(table, output):
        add("Gather", [table, leaf], output, axis=0)

    outputs = [output.full_name for output in operator.outputs]
    if not model.is_classifier:
        numbers = np.stack([leaves.predictions(k) for k in range(model.n_outputs)], axis=1)
        look_up(constant("numbers", double, numbers), outputs[0])
        return
    labels = leaves.labels(0)
    is_text = isinstance(labels[0], str)
    kind = libraries.TensorProto.STRING if is_text else whole
    labels = [label.encode() for label in labels] if is_text else [int(v) for v in labels]
    named = name("labels")
    container.add_initializer(named, kind, [len(labels)], labels)
    look_up(named, outputs[0])
    look_up(constant("shares", double, leaves.shares[0]), outputs[1])


def _check(model, leaves):
    depth = leaves.tree.max_depth
    if depth > _DEEPEST:
        raise ValueError(
            f"The tree is {depth} levels deep; onnxruntime follows {_DEEPEST} safely. to_sql, "
            "to_c and to_json take any depth."
        )
    if len(leaves.nodes) > _MOST_LEAVES:
        raise ValueError(f"to_onnx takes trees of {_MOST_LEAVES:,} leaves at most.")
    n_bytes = 60 * leaves.tree.node_count
    if model.is_classifier:
        if model.n_outputs > 1:
            raise ValueError("to_onnx takes classifiers of one output.")
        if model.classes[0].dtype.kind not in "iubUO":
            raise ValueError(
                f"Labels in ONNX are whole numbers or text, not {model.classes[0].dtype}."
            )
        n_bytes += 8 * len(leaves.nodes) * len(model.classes[0])
    if n_bytes > _MOST_BYTES:
        raise ValueError(
            f"The tree would take {n_bytes / 2**30:.1f} GiB; an ONNX file holds 2. to_sql, to_c "
            "and to_json take any size."
        )


def _ensemble(leaves, tensor):
    """Return the attributes of a TreeEnsembleRegressor that returns the place of the leaf."""
    tree = leaves.tree
    n_nodes, n_leaves = tree.node_count, len(leaves.nodes)
    is_leaf = tree.children_left == -1

    def whole(values):
        return [int(value) for value in values]

    return {
        "n_targets": 1,
        "aggregate_function": "SUM",
        "post_transform": "NONE",
        "nodes_treeids": [0] * n_nodes,
        "nodes_nodeids": list(range(n_nodes)),
        "nodes_featureids": whole(np.where(is_leaf, 0, tree.feature)),
        "nodes_values_as_tensor": tensor(np.where(is_leaf, 0.0, tree.threshold), "thresholds"),
        "nodes_modes": np.where(is_leaf, "LEAF", "BRANCH_LEQ").tolist(),
        "nodes_missing_value_tracks_true": whole(tree.missing_go_to_left),
        "nodes_truenodeids": whole(np.maximum(tree.children_left, 0)),
        "nodes_falsenodeids": whole(np.maximum(tree.children_right, 0)),
        "target_treeids": [0] * n_leaves,
        "target_nodeids": whole(leaves.nodes),
        "target_ids": [0] * n_leaves,
        "target_weights_as_tensor": tensor(np.arange(n_leaves, dtype=np.float64), "places"),
    }
