"""What the two estimators share: fitting without half-fitted states, routing, conversion."""

import numbers
import warnings

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ._device import bins_of, is_on_gpu, on_host
from ._device_estimator import look_up_on_gpu
from ._fitting import grow_tree
from ._predict import FEWEST_ROWS_FOR_THREADS, Walk, route, route_sparse
from ._threads import check_n_jobs, effective_n_threads
from ._validation import (
    accepted_by,
    check_finite,
    check_monotonic_cst,
    check_params,
    check_rows,
    check_training_data,
    check_weights,
    columns_in_range,
    growth_rules,
)
from .criteria import kernel_of
from .training_set import Selection, TrainingSet
from .tree import Tree

__all__ = ["TreeEstimator"]


class TreeEstimator:
    """Mixin in front of scikit-learn's tree estimators.

    The fitted tree is kept in our own compact form, with float64 thresholds; ``tree_`` is made
    from it when somebody asks.
    """

    def _fit_or_restore(self, fit):
        """Run a fit; whatever stops it leaves the estimator as it was."""
        before = self.__dict__.copy()
        try:
            fit()
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise
        return self

    def _validate_params(self):
        # scikit-learn's name, called by its `_fit_context`.
        check_params(self)

    def _training_data(self, X, y, sample_weight, check_input, rows):
        """Return checked X, y and weights, and what of a TrainingSet is used, None without one."""
        if isinstance(X, TrainingSet):
            if y is not None:
                raise ValueError("y belongs to the TrainingSet; pass the TrainingSet alone.")
            selected = X.select(rows)
            self.n_features_in_ = X.n_features_in_
            if hasattr(X, "feature_names_in_"):
                self.feature_names_in_ = X.feature_names_in_
            elif hasattr(self, "feature_names_in_"):
                del self.feature_names_in_
            weights = X.sample_weight if sample_weight is None else sample_weight
            return X.X, X.y, weights, Selection(selected, len(X), X.lists)
        if rows is not None:
            raise ValueError("rows selects from a TrainingSet; X is none.")
        if check_input:
            X, y = check_training_data(self, X, y)
        else:
            X = columns_in_range(X)
        return X, np.atleast_1d(y), sample_weight, None

    def _grow(self, X, y, n_classes, sample_weight, selection=None, engine=None):
        """Grow and prune the tree from encoded targets of shape (n_outputs, n_samples)."""
        check_n_jobs(self.n_jobs)
        kernel = kernel_of(self.criterion, getattr(self, "order", 2.0))
        n_samples, n_features = X.shape
        shared = None
        if selection is not None:
            n_samples = len(selection.rows)
            sample_weight = selection.weights(sample_weight)
            shared = selection.lists
        monotonic = check_monotonic_cst(self.monotonic_cst, n_features, y.shape[0], n_classes)
        rules = growth_rules(self, n_samples, n_features)
        rules["monotonic"] = monotonic
        seed = _draw_seed(self.random_state, rules, n_features)
        data = (X, y, n_classes, sample_weight, kernel, rules, seed)
        if engine is None:
            tree = grow_tree(*data, self.n_jobs, max_bins=bins_of(self), shared=shared)
        else:
            # Taken here, so that who grows on the CPU need not wait for it.
            from ._device_fitting import grow_tree_on

            tree = grow_tree_on(engine, *data, max_bins=bins_of(self))
        self.n_features_in_ = n_features
        self.n_outputs_ = y.shape[0]
        self.max_features_ = rules["max_features"]
        self._tree = tree

    def __setstate__(self, state):
        tree = state.get("_tree")
        if "_tree" in state and not (
            isinstance(tree, Tree)
            and tree.n_features == state.get("n_features_in_")
            and tree.n_outputs == state.get("n_outputs_")
            and tree.n_classes == _class_numbers(state)
        ):
            raise ValueError("The state's tree does not belong to its estimator.")
        super().__setstate__(state)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Before scikit-learn 1.8 its own tag depends on the name of the criterion.
        tags.input_tags.allow_nan = True
        return tags

    def _derive(self, name, make):
        """Return what is derived from the tree once and kept with it."""
        derived = self._tree.derived
        if name not in derived:
            derived[name] = make()
        return derived[name]

    @property
    def tree_(self):
        """The fitted tree as scikit-learn's ``Tree``, for everything that reads one."""
        if "_tree" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute 'tree_'")
        return self._derive("sklearn", self._tree.to_sklearn)

    def _look_up(self, X, check_input, name, make):
        """Return for every row what its leaf holds.

        ``make(tree)`` gives 8 bytes a node, an array that is kept under its name.
        """
        if is_on_gpu(X):
            return look_up_on_gpu(self, X, check_input, name, make)
        X, worst = self._rows(X, check_input)
        tree = self._tree
        leaves = self._derive("leaves", lambda: np.flatnonzero(tree.feature < 0))
        held = self._derive((name, "of leaves"), lambda: make(tree)[leaves])
        found = self._route(X, worst, "leaves", _numbers_of_leaves, held.view(np.int64))
        return found.view(held.dtype)

    def _rows(self, X, check_input):
        """Return rows on the host, and what is known of their worst value."""
        if "_tree" not in vars(self):
            check_is_fitted(self)  # says in scikit-learn's words that it is not
        return check_rows(self, X, check_input)

    def _route(self, X, worst, name, make, held):
        """Return for every row what is held by the number that its leaf leads to.

        ``make(tree)`` gives the number of every node, an array that is kept under its name;
        ``held`` is of int64.
        """
        is_sparse = issparse(X)
        is_double = is_sparse or X.dtype == np.float64
        walk = self._walk(name, make, is_double)
        if is_sparse:
            starts = np.asarray(X.indptr, dtype=np.int64)
            columns = np.asarray(X.indices, dtype=np.int32)
            return route_sparse(walk, held, X.data, columns, starts, X.shape[1])
        is_large = X.shape[0] >= FEWEST_ROWS_FOR_THREADS
        n_threads = effective_n_threads(self.n_jobs) if is_large else 1
        found = route(walk, held, X, worst, n_threads)
        if found is None:
            check_finite(self, X, may_miss=True)  # says in scikit-learn's words what is infinite
        return found

    def _walk(self, name, make, is_double):
        """Return the steps whose leaves hold the numbers of a name, kept after the first call."""
        return self._derive(
            ("walk", name, is_double), lambda: Walk(self._tree, make(self._tree), is_double)
        )

    def _leaves(self, X, check_input):
        """Return the leaf of every row."""
        return self._look_up(X, check_input, "number", _node_numbers)

    def get_depth(self):
        """Return the depth of the tree: the largest distance between the root and a leaf.

        Returns
        -------
        int
            0 for a tree of one leaf.
        """
        check_is_fitted(self)
        return self._tree.max_depth

    def get_n_leaves(self):
        """Return the number of leaves.

        Returns
        -------
        int
            At least 1.
        """
        check_is_fitted(self)
        return self._tree.n_leaves

    @property
    def feature_importances_(self):
        """Share of every feature in the total gain of the tree.

        Returns
        -------
        ndarray of shape (n_features,)
            Sums to 1, or all 0 for a tree of one leaf.
        """
        check_is_fitted(self)
        return self._tree.feature_importances()

    def apply(self, X, check_input=True):
        """Return the number of the leaf that each row ends in.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows; float64 and 64-bit integers are compared as float64. An array on a GPU is
            routed there, and so is what comes back.
        check_input : bool, default=True
            False skips the checks; X must then be an array of floats or a CSR matrix.

        Returns
        -------
        ndarray of shape (n_samples,)
            Node numbers in pre-order, as in ``tree_``.
        """
        return self._leaves(X, check_input)

    def decision_path(self, X, check_input=True):
        """Return the nodes that each row passes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows.
        check_input : bool, default=True
            False skips the checks.

        Returns
        -------
        csr_matrix of shape (n_samples, n_nodes)
            1 where a row passes a node.
        """
        leaves = on_host(self._leaves(X, check_input))
        tree = self._tree
        parent = np.full(tree.node_count, -1, dtype=np.int64)
        inner = np.flatnonzero(tree.children_left != -1)
        parent[tree.children_left[inner]] = inner
        parent[tree.children_right[inner]] = inner
        lengths = tree.depths()[leaves] + 1
        starts = np.concatenate([[0], np.cumsum(lengths)])
        columns = np.empty(starts[-1], dtype=np.int64)
        rows, node, end = np.arange(len(leaves)), leaves, starts[1:] - 1
        while len(rows):  # from the leaves up, one level a turn
            columns[end[rows]] = node
            end = end - 1
            node = parent[node]
            rows, node = rows[node >= 0], node[node >= 0]
        return csr_matrix(
            (np.ones(len(columns), dtype=np.int64), columns, starts),
            shape=(len(leaves), tree.node_count),
        )

    def _prune_tree(self):
        """Prune by cost complexity; scikit-learn decides which nodes go."""
        if self.ccp_alpha == 0.0:
            return
        pruned = self._bare_sklearn(ccp_alpha=self.ccp_alpha)
        pruned._prune_tree()
        self._tree = self._tree.pruned(_nodes_that_stay(self.tree_, pruned.tree_))

    def _bare_sklearn(self, **params):
        """Return scikit-learn's estimator with our tree, without a look at lost precision."""
        twin_class = self._sklearn_class
        own = accepted_by(twin_class, self.get_params(deep=False))
        if own["criterion"] not in self._sklearn_criteria:
            del own["criterion"]
        twin = twin_class(**(own | params))
        for name, value in vars(self).items():
            if name.endswith("_") and not name.startswith("_"):
                setattr(twin, name, value)
        twin.tree_ = self.tree_
        return twin

    def to_sklearn(self):
        """Return the equal scikit-learn estimator, for tools that check the exact class.

        Returns
        -------
        sklearn.tree.DecisionTreeClassifier or sklearn.tree.DecisionTreeRegressor
            Fitted, with the same tree and predictions. A criterion that scikit-learn does not
            know is replaced by its default: it plays no part in predictions.

        Warns
        -----
        UserWarning
            If the tree tells values apart that scikit-learn would round to one float32.
        """
        check_is_fitted(self)
        n_lost = int(np.count_nonzero(self._tree.needs_float64))
        if n_lost:
            warnings.warn(
                f"{n_lost} of the tree's splits tell values apart that are equal as float32; "
                "scikit-learn compares in float32 and will send such rows to one side.",
                UserWarning,
                stacklevel=2,
            )
        return self._bare_sklearn()

    def _checked_weights(self, sample_weight, X, expanded_class_weight=None):
        """Validate weights and fold class weights in."""
        weights = check_weights(sample_weight, X)
        if expanded_class_weight is None:
            return weights
        if weights is None:
            return check_weights(expanded_class_weight, X)
        return check_weights(weights * expanded_class_weight, X)


def _draw_seed(random_state, rules, n_features):
    """Return the seed of everything that growth draws.

    Where nothing is drawn, a number needs no generator: to make one takes as long as a small fit.
    A generator of the caller moves on all the same.
    """
    is_drawing = rules["random_thresholds"] or rules["max_features"] < n_features
    if isinstance(random_state, numbers.Integral) and not is_drawing:
        return 0
    return int(check_random_state(random_state).randint(0, 2**31 - 1))


def _node_numbers(tree):
    return np.arange(tree.node_count)


def _numbers_of_leaves(tree):
    """Return the number of every leaf among the leaves; of an inner node any."""
    return np.cumsum(tree.feature < 0) - 1


def _class_numbers(state):
    """Return how many classes each output of an estimator's state has, None in regression."""
    if "classes_" not in state:
        return None
    classes = state["classes_"]
    numbers = tuple(len(c) for c in (classes if isinstance(classes, list) else [classes]))
    if not np.array_equal(np.atleast_1d(state.get("n_classes_")), numbers):
        raise ValueError("The state's classes_ and n_classes_ do not agree.")
    return numbers


def _nodes_that_stay(tree, pruned):
    """Return which nodes of a tree are in its pruned copy, a bool array of shape (n_nodes,)."""
    stays = np.zeros(tree.node_count, dtype=bool)
    left, right = tree.children_left.tolist(), tree.children_right.tolist()
    left_kept, right_kept = pruned.children_left.tolist(), pruned.children_right.tolist()
    pairs = [(0, 0)]
    while pairs:
        node, kept = pairs.pop()
        stays[node] = True
        if left_kept[kept] >= 0:
            pairs += [(left[node], left_kept[kept]), (right[node], right_kept[kept])]
    return stays
