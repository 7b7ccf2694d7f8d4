"""The fitted tree: parallel arrays, what must hold of them, and the way to scikit-learn's."""

import numpy as np
from sklearn.tree._tree import Tree as SklearnTree

__all__ = ["Tree"]

_LEAF = -1
_UNDEFINED = -2

# Per node, one-dimensional: name and dtype.
_NODE_ARRAYS = {
    "children_left": np.int32,
    "children_right": np.int32,
    "feature": np.int32,
    "threshold": np.float64,
    "missing_go_to_left": np.uint8,
    "needs_float64": np.uint8,
    "impurity": np.float64,
    "n_node_samples": np.int64,
    "weighted_n_node_samples": np.float64,
}
_VALUE_ARRAYS = {
    "value": np.float64,
    "class_starts": np.int64,
    "classes": np.int32,
    "class_weights": np.float64,
}


class Tree:
    """A binary decision tree as parallel arrays, its nodes in pre-order.

    Invariants, checked whenever a tree is made or loaded: node 0 is the root; the left child of
    an inner node follows it and the right child comes later; every node but the root is the
    child of exactly one node; features and classes are within range. A tree that is not so is
    refused, so that following it always ends at a leaf.

    Parameters
    ----------
    n_features : int
        Columns of the training data.
    n_classes : sequence of int or None
        Classes of each output; None for regression.
    n_outputs : int
        Number of outputs.
    arrays : dict of ndarray
        ``children_left``, ``children_right``, ``feature``, ``threshold``,
        ``missing_go_to_left``, ``needs_float64`` (the split tells values apart that are equal
        as float32), ``impurity``, ``n_node_samples`` and ``weighted_n_node_samples`` of shape
        (n_nodes,); ``value`` of shape (n_nodes, n_outputs) in regression, (n_nodes, 1) with
        the share of class 0 where monotonic constraints bound it, else (n_nodes, 0);
        ``class_starts`` of shape (n_nodes + 1,), ``classes`` and ``class_weights``: the classes
        with weight in each leaf, numbered over all outputs. Inner nodes store none: theirs are
        the sums over their leaves.

    Raises
    ------
    ValueError
        If the arrays break an invariant.
    """

    # What others derive from the arrays once, by name; not part of the state.
    derived: dict

    def __init__(self, n_features, n_classes, n_outputs, arrays):
        self.n_features = n_features
        self.n_classes = None if n_classes is None else tuple(int(k) for k in n_classes)
        self.n_outputs = n_outputs
        self.derived = {}
        for name, dtype in (_NODE_ARRAYS | _VALUE_ARRAYS).items():
            if name not in arrays:
                raise ValueError(f"A tree needs the array {name!r}.")
            array = np.asarray(arrays[name])
            if array.dtype != dtype:
                raise ValueError(f"{name} must have dtype {np.dtype(dtype)}, got {array.dtype}.")
            setattr(self, name, np.require(array, requirements=["C", "A", "E"]))
        self.check()

    @classmethod
    def grown(cls, n_features, n_classes, n_outputs, arrays):
        """Return a tree from the arrays that growth has just made, which keep the invariants."""
        tree = cls.__new__(cls)
        tree.n_features = n_features
        tree.n_classes = None if n_classes is None else tuple(n_classes)
        tree.n_outputs = n_outputs
        tree.derived = {}
        tree.__dict__.update(arrays)
        return tree

    def __getstate__(self):
        state = {"n_features": self.n_features, "n_classes": self.n_classes}
        state["n_outputs"] = self.n_outputs
        return state | {name: getattr(self, name) for name in _NODE_ARRAYS | _VALUE_ARRAYS}

    def __setstate__(self, state):
        for name in ("n_features", "n_classes", "n_outputs"):
            if name not in state:
                raise ValueError(f"A tree needs {name!r}.")
        self.__init__(state["n_features"], state["n_classes"], state["n_outputs"], state)

    @property
    def node_count(self):
        """Number of nodes."""
        return self.children_left.shape[0]

    @property
    def n_leaves(self):
        """Number of leaves."""
        return int(np.count_nonzero(self.children_left == _LEAF))

    @property
    def max_depth(self):
        """Depth of the deepest leaf; the root has depth 0."""
        return int(self.depths().max())

    def check(self):
        """Raise ValueError unless the invariants hold."""
        n_nodes = self.children_left.shape[0] if self.children_left.ndim == 1 else 0
        if n_nodes == 0:
            raise ValueError("A tree needs at least one node, in one-dimensional arrays.")
        for name in _NODE_ARRAYS:
            if getattr(self, name).shape != (n_nodes,):
                raise ValueError(f"{name} must have shape ({n_nodes},).")
        left, right = self.children_left, self.children_right
        inner = np.flatnonzero(left != _LEAF)
        if not np.array_equal(inner, np.flatnonzero(right != _LEAF)):
            raise ValueError("A node has either two children or none.")
        if not np.array_equal(left[inner], inner + 1):
            raise ValueError("The left child of an inner node must follow it.")
        children = np.sort(np.concatenate([left[inner], right[inner]]))
        if (right[inner] <= left[inner]).any() or not np.array_equal(
            children, np.arange(1, n_nodes)
        ):
            raise ValueError("Every node but the root must be the child of one earlier node.")
        largest = np.iinfo(np.int32).max
        if not isinstance(self.n_features, int | np.integer) or not 0 < self.n_features < largest:
            raise ValueError(f"n_features must be an integer within [1, {largest}).")
        if ((self.feature[inner] < 0) | (self.feature[inner] >= self.n_features)).any():
            raise ValueError(f"feature must be within [0, {self.n_features}) at inner nodes.")
        if np.isnan(self.threshold[inner]).any():
            raise ValueError("threshold must not be NaN at inner nodes.")
        if not (np.isfinite(self.impurity).all() and (self.n_node_samples > 0).all()):
            raise ValueError("impurity must be finite and n_node_samples positive.")
        self._check_values(n_nodes)

    def _check_values(self, n_nodes):
        """Raise ValueError unless values and classes fit the nodes."""
        if not isinstance(self.n_outputs, int | np.integer) or self.n_outputs < 1:
            raise ValueError("n_outputs must be a positive integer.")
        widths = (self.n_outputs,)
        n_all_classes = 0
        if self.n_classes is not None:
            widths = (0, 1)
            n_all_classes = sum(self.n_classes)
            if len(self.n_classes) != self.n_outputs or min(self.n_classes) < 1:
                raise ValueError("n_classes must give a positive number for each output.")
        if self.value.ndim != 2 or len(self.value) != n_nodes or self.value.shape[1] not in widths:
            raise ValueError(f"value must have shape ({n_nodes}, {widths[-1]}).")
        starts = self.class_starts
        if starts.shape != (n_nodes + 1,) or self.classes.ndim != 1:
            raise ValueError(f"class_starts must have shape ({n_nodes + 1},).")
        if starts[0] != 0 or starts[-1] != len(self.classes) or (np.diff(starts) < 0).any():
            raise ValueError("class_starts must grow from 0 to the number of classes stored.")
        if self.class_weights.shape != self.classes.shape:
            raise ValueError("class_weights must have the shape of classes.")
        if ((self.classes < 0) | (self.classes >= n_all_classes)).any():
            raise ValueError(f"classes must be within [0, {n_all_classes}).")
        for name in ("class_weights", "weighted_n_node_samples"):
            weights = getattr(self, name)
            if not (np.isfinite(weights).all() and (weights > 0).all()):
                raise ValueError(f"{name} must be finite and positive.")
        leaves = self.children_left == _LEAF
        if self.n_classes is not None and (np.diff(starts)[leaves] == 0).any():
            raise ValueError("Every leaf of a classification tree needs a class.")

    def depths(self):
        """Return the depth of every node, an int array of shape (n_nodes,)."""
        depths = np.zeros(self.node_count, dtype=np.int64)
        # Level by level: a chain of nodes costs as many steps as it is deep.
        level = np.array([0])
        depth = 0
        while len(level):
            depths[level] = depth
            inner = level[self.children_left[level] != _LEAF]
            level = np.concatenate([self.children_left[inner], self.children_right[inner]])
            depth += 1
        return depths

    def leaf_weights(self, output=0):
        """Return the class weights of one output at every node.

        Parameters
        ----------
        output : int, default=0
            Which output.

        Returns
        -------
        ndarray of shape (n_nodes, n_classes[output])
            Zero at inner nodes.
        """
        first = sum(self.n_classes[:output])
        weights = np.zeros((self.node_count, self.n_classes[output]))
        nodes = np.repeat(np.arange(self.node_count), np.diff(self.class_starts))
        here = (self.classes >= first) & (self.classes < first + self.n_classes[output])
        weights[nodes[here], self.classes[here] - first] = self.class_weights[here]
        return weights

    def leaf_values(self, output=0):
        """Return what the leaves predict for one output.

        Parameters
        ----------
        output : int, default=0
            Which output.

        Returns
        -------
        ndarray of shape (n_nodes, n_classes[output]) or (n_nodes,)
            Class shares, or the predicted number; class shares are zero at inner nodes.
        """
        if self.n_classes is None:
            return self.value[:, output]
        weights = self.leaf_weights(output)
        shares = weights / np.maximum(weights.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        if self.value.shape[1]:
            leaves = self.children_left == _LEAF
            shares[leaves, 0] = self.value[leaves, 0]
            if self.n_classes[0] > 1:
                shares[leaves, 1] = 1.0 - self.value[leaves, 0]
        return shares

    def feature_importances(self):
        """Return the share of each feature in the total gain, of shape (n_features,)."""
        inner = np.flatnonzero(self.children_left != _LEAF)
        term = self.weighted_n_node_samples * self.impurity
        gain = term[inner] - term[self.children_left[inner]] - term[self.children_right[inner]]
        gain /= self.weighted_n_node_samples[0]
        total = np.bincount(self.feature[inner], weights=gain, minlength=self.n_features)
        return total / total.sum() if total.sum() > 0.0 else total

    def with_classes(self, present):
        """Return a copy whose classes are numbered among those that are present.

        Parameters
        ----------
        present : list of ndarray of int
            For each output the classes that the tree may hold, increasing.

        Returns
        -------
        Tree
            Its n_classes are the lengths of ``present``.
        """
        old_starts = np.concatenate([[0], np.cumsum(self.n_classes)])[:-1]
        kept = np.concatenate(
            [here + start for here, start in zip(present, old_starts, strict=True)]
        )
        tree = Tree.grown(
            self.n_features,
            [len(here) for here in present],
            self.n_outputs,
            {name: getattr(self, name) for name in _NODE_ARRAYS | _VALUE_ARRAYS},
        )
        tree.classes = np.searchsorted(kept, self.classes).astype(np.int32)
        return tree

    def pruned(self, stays):
        """Return a copy in which some inner nodes have become leaves.

        Parameters
        ----------
        stays : ndarray of bool of shape (n_nodes,)
            Whether a node is still there; nodes below a missing one are missing too.

        Returns
        -------
        Tree
            Its new leaves hold the classes of all the leaves below them.
        """
        kept = np.flatnonzero(stays)
        number = np.full(self.node_count, _LEAF, dtype=np.int32)
        number[kept] = np.arange(len(kept))
        arrays = {name: getattr(self, name)[kept] for name in _NODE_ARRAYS}
        left, right = arrays["children_left"], arrays["children_right"]
        left[:] = np.where(left == _LEAF, _LEAF, number[left])
        right[:] = np.where(right == _LEAF, _LEAF, number[right])
        leaf = left == _LEAF
        arrays["feature"][leaf] = _UNDEFINED
        arrays["threshold"][leaf] = _UNDEFINED
        arrays["missing_go_to_left"][leaf] = 0
        arrays["needs_float64"][leaf] = 0
        # Pre-order: what lies below a node stands between it and the next node that stays.
        owner = np.cumsum(stays) - 1
        nodes = np.repeat(np.arange(self.node_count), np.diff(self.class_starts))
        n_all_classes = max(1, sum(self.n_classes or ()))
        keys, inverse = np.unique(
            owner[nodes] * np.int64(n_all_classes) + self.classes, return_inverse=True
        )
        counts = np.bincount(keys // n_all_classes, minlength=len(kept))
        arrays["class_starts"] = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        arrays["classes"] = (keys % n_all_classes).astype(np.int32)
        arrays["class_weights"] = np.bincount(
            inverse, weights=self.class_weights, minlength=len(keys)
        ).astype(np.float64)
        arrays["value"] = self.value[kept]
        return Tree(self.n_features, self.n_classes, self.n_outputs, arrays)

    def to_sklearn(self):
        """Return the same tree as scikit-learn's ``Tree``.

        Returns
        -------
        sklearn.tree._tree.Tree
            With float64 thresholds; note that its own ``apply`` takes float32 only.
        """
        n_classes = np.array(self.n_classes or [1] * self.n_outputs, dtype=np.intp)
        tree = SklearnTree(self.n_features, n_classes, self.n_outputs)
        state = tree.__getstate__()
        nodes = np.zeros(self.node_count, dtype=state["nodes"].dtype)
        nodes["left_child"] = self.children_left
        nodes["right_child"] = self.children_right
        for name in ("feature", "threshold", "impurity", "n_node_samples"):
            nodes[name] = getattr(self, name)
        nodes["weighted_n_node_samples"] = self.weighted_n_node_samples
        nodes["missing_go_to_left"] = self.missing_go_to_left
        state.update(
            max_depth=self.max_depth,
            node_count=self.node_count,
            nodes=nodes,
            values=self._node_values(),
        )
        tree.__setstate__(state)
        return tree

    def _node_values(self):
        """Return the values of all nodes, of shape (n_nodes, n_outputs, max_n_classes)."""
        if self.n_classes is None:
            return np.ascontiguousarray(self.value[:, :, None])
        values = np.zeros((self.node_count, self.n_outputs, max(self.n_classes)))
        inner = np.flatnonzero(self.children_left != _LEAF)[::-1].tolist()
        left, right = self.children_left.tolist(), self.children_right.tolist()
        for output, n_classes in enumerate(self.n_classes):
            weights = self.leaf_weights(output)
            for node in inner:
                weights[node] = weights[left[node]] + weights[right[node]]
            shares = weights / weights.sum(axis=1, keepdims=True)
            values[:, output, :n_classes] = shares
        if self.value.shape[1]:
            values[:, 0, 0] = self.value[:, 0]
            if self.n_classes[0] > 1:
                values[:, 0, 1] = 1.0 - self.value[:, 0]
        return values
