"""Checks of fitted trees: a registry of small invariants, and a walk beside the oracle.

``check_tree`` runs the invariants, which hold for every tree whatever the data were.
``walk`` routes the training rows through a tree and recomputes every node by brute force.
"""

import math

import numpy as np
from oracle import (
    all_cuts,
    best_gain,
    constrained_value,
    impurity,
    is_feasible,
    is_pure,
    mean,
    node_term,
    problem_of,
    ranked_cuts,
    value,
    weight_of,
    with_criterion,
)
from sklearn.base import is_classifier

TOLERANCE = 1e-9
INVARIANTS = []


def invariant(check):
    """Add a check to the registry."""
    INVARIANTS.append(check)
    return check


def check_tree(estimator):
    """Run every registered check on a fitted estimator."""
    for check in INVARIANTS:
        check(estimator, estimator.tree_)


def _inner(tree):
    return np.flatnonzero(tree.children_left != -1)


def _is_mean_valued(estimator):
    return estimator.criterion != "absolute_error" and estimator.monotonic_cst is None


@invariant
def arrays_agree_in_length(estimator, tree):
    n = tree.node_count
    for name in ("children_left", "children_right", "feature", "threshold", "impurity"):
        assert getattr(tree, name).shape == (n,), name
    assert tree.n_node_samples.shape == tree.weighted_n_node_samples.shape == (n,)
    assert tree.value.shape == (n, tree.n_outputs, tree.max_n_classes)


@invariant
def every_node_but_the_root_has_one_parent(estimator, tree):
    inner = _inner(tree)
    children = np.concatenate([tree.children_left[inner], tree.children_right[inner]])
    assert sorted(children) == list(range(1, tree.node_count))


@invariant
def children_follow_their_parent(estimator, tree):
    inner = _inner(tree)
    assert np.all(tree.children_left[inner] > inner)
    assert np.all(tree.children_right[inner] > inner)


@invariant
def leaves_are_marked_as_leaves(estimator, tree):
    leaves = np.flatnonzero(tree.children_left == -1)
    assert np.all(tree.children_right[leaves] == -1)
    assert np.all(tree.feature[leaves] == -2)
    assert np.all(tree.threshold[leaves] == -2.0)
    assert len(leaves) == tree.n_leaves == estimator.get_n_leaves()
    assert tree.node_count == 2 * tree.n_leaves - 1


@invariant
def features_and_thresholds_are_in_range(estimator, tree):
    inner = _inner(tree)
    assert np.all((tree.feature[inner] >= 0) & (tree.feature[inner] < tree.n_features))
    assert not np.any(np.isnan(tree.threshold))
    assert not np.any(np.isneginf(tree.threshold))


@invariant
def depth_is_the_longest_path(estimator, tree):
    depth = np.zeros(tree.node_count, dtype=int)
    for node in _inner(tree):
        depth[tree.children_left[node]] = depth[tree.children_right[node]] = depth[node] + 1
    assert depth.max() == tree.max_depth == estimator.get_depth()
    assert estimator.max_depth is None or depth.max() <= estimator.max_depth


@invariant
def children_share_out_the_samples(estimator, tree):
    inner = _inner(tree)
    left, right = tree.children_left[inner], tree.children_right[inner]
    samples, weights = tree.n_node_samples, tree.weighted_n_node_samples
    assert np.all(samples > 0)
    assert np.all(weights > 0)
    np.testing.assert_array_equal(samples[inner], samples[left] + samples[right])
    np.testing.assert_allclose(weights[inner], weights[left] + weights[right], rtol=1e-12)


@invariant
def impurities_are_finite_and_not_negative(estimator, tree):
    assert np.all(np.isfinite(tree.impurity))
    if estimator.criterion != "gaussian_entropy":
        assert np.all(tree.impurity >= 0.0)


@invariant
def class_shares_add_up_to_one(estimator, tree):
    assert np.all(np.isfinite(tree.value))
    if is_classifier(estimator):
        np.testing.assert_allclose(tree.value.sum(axis=2), 1.0, rtol=1e-12)
        assert np.all(tree.value >= 0.0)


@invariant
def a_value_is_the_mean_of_its_childrens(estimator, tree):
    if not _is_mean_valued(estimator):
        return
    inner = _inner(tree)
    left, right = tree.children_left[inner], tree.children_right[inner]
    total = tree.value * tree.weighted_n_node_samples[:, None, None]
    scale = np.abs(total).max(initial=1.0)
    np.testing.assert_allclose(
        total[inner], total[left] + total[right], rtol=1e-9, atol=1e-12 * scale
    )


@invariant
def importances_are_shares_or_zero(estimator, tree):
    gains = tree.compute_feature_importances(normalize=False)
    assert np.all(gains >= -1e-12 * np.abs(tree.impurity).max())
    if gains.sum() > 1e-12:  # what is left of gains that are all zero is rounding
        importances = tree.compute_feature_importances(normalize=True)
        assert importances.shape == (tree.n_features,)
        assert math.isclose(importances.sum(), 1.0, rel_tol=1e-9)


@invariant
def gains_telescope(estimator, tree):
    inner, leaves = _inner(tree), np.flatnonzero(tree.children_left == -1)
    term = tree.impurity * tree.weighted_n_node_samples
    left, right = tree.children_left[inner], tree.children_right[inner]
    gains = term[inner] - term[left] - term[right]
    scale = np.abs(term).max(initial=1.0)
    assert math.isclose(gains.sum(), term[0] - term[leaves].sum(), abs_tol=1e-9 * scale)


# -- the walk -----------------------------------------------------------------------------------


def equal_trees(first, second):
    """Assert that two fitted ``tree_`` are equal to the bit, leaves' unused fields aside."""
    first, second = first.__getstate__(), second.__getstate__()
    assert first["node_count"] == second["node_count"]
    for name in first["nodes"].dtype.names:
        if name != "missing_go_to_left":
            np.testing.assert_array_equal(first["nodes"][name], second["nodes"][name], name)
    inner = first["nodes"]["left_child"] != -1
    np.testing.assert_array_equal(
        first["nodes"]["missing_go_to_left"][inner], second["nodes"]["missing_go_to_left"][inner]
    )
    np.testing.assert_array_equal(first["values"], second["values"])


def rows_of_nodes(tree, X, rows):
    """Route rows through a tree by its public arrays alone.

    Parameters
    ----------
    tree : sklearn.tree._tree.Tree
        The fitted tree.
    X : array-like of shape (n_rows, n_features)
        Values, NaN where missing.
    rows : list of int
        Rows to route.

    Returns
    -------
    dict
        Node number to the list of its rows.
    """
    reached = {0: list(rows)}
    for node in _inner(tree):
        feature, threshold = tree.feature[node], tree.threshold[node]
        left, right = [], []
        for i in reached[node]:
            x = X[i][feature]
            if math.isnan(x):
                (left if tree.missing_go_to_left[node] else right).append(i)
            else:
                (left if x <= threshold else right).append(i)
        reached[tree.children_left[node]] = left
        reached[tree.children_right[node]] = right
    return reached


def _rounds_up_in_float32(low, middle, high):
    """Whether a tool that rounds to float32 would take the middle of two float32 for the upper."""
    with np.errstate(over="ignore"):
        rounded = np.float32([low, middle, high]).tolist()
    return rounded == [low, high, high]


class _Walk:
    """One fitted tree beside the problem that it was to solve."""

    def __init__(self, estimator, problem):
        self.estimator, self.tree, self.problem = estimator, estimator.tree_, problem
        self.rows = rows_of_nodes(self.tree, problem.X, problem.root)
        self.depth = {0: 0}
        self.bounds = {0: (-math.inf, math.inf)}
        self.root_weight = weight_of(problem, problem.root)
        self.all_features = self.tree.n_features == estimator.max_features_

    def close(self, a, b, scale, what):
        assert abs(a - b) <= TOLERANCE * (abs(scale) + 1e-300), f"{what}: {a!r} is not {b!r}"

    def scale(self, node):
        """Size against which gains of a node are compared."""
        rows = self.rows[node]
        base = abs(node_term(self.problem, rows))
        # Differential entropies pass through zero, where a relative error means nothing.
        weight = weight_of(self.problem, rows)
        return base + weight * (1.0 if self.is_gaussian else 1e-4 * self.cancelled(rows))

    def cancelled(self, rows):
        """Size of what cancels, beyond the impurity, in y ln(y / mean): about the mean."""
        if self.problem.criterion != "poisson":
            return 0.0
        return max(max(self.problem.y[i]) for i in rows)

    @property
    def is_gaussian(self):
        return self.problem.criterion == "gaussian_entropy"

    def check_statistics(self, node):
        tree, rows, problem = self.tree, self.rows[node], self.problem
        weight = weight_of(problem, rows)
        assert tree.n_node_samples[node] == len(rows)
        self.close(tree.weighted_n_node_samples[node], weight, weight, "weight")
        found = impurity(problem, rows)
        spread = impurity(problem, problem.root) + 1.0 + self.cancelled(rows)
        self.close(tree.impurity[node], found, abs(found) + 1e-4 * spread, "impurity")
        if is_pure(problem, rows) and not self.is_gaussian:
            assert tree.impurity[node] == 0.0, "a pure node has no impurity"
        low, high = self.bounds[node]
        for k in range(tree.n_outputs):
            expected = value(problem, rows, k)
            if problem.monotonic and len(expected) == 2:
                second = min(max(expected[1], low), high)
                expected = [1.0 - second, second]
            elif problem.monotonic and not problem.n_classes:
                expected = [min(max(expected[0], low), high)]
            if problem.criterion == "absolute_error" and not problem.monotonic:
                self.check_median(node, k, expected[0])
                continue
            for c, number in enumerate(expected):
                self.close(tree.value[node, k, c], number, abs(number) + 1e-3, "value")

    def check_median(self, node, output, expected):
        """Rounded weights may add up to half or not: then any median is as good."""
        problem, rows, found = self.problem, self.rows[node], self.tree.value[node, output, 0]
        w = [problem.weight[i] for i in rows]
        y = [problem.y[i][output] for i in rows]
        if all((8.0 * x).is_integer() for x in w):
            assert found == expected, "the middle of the medians"
        else:
            costs = [mean([abs(a - m) for a in y], w) for m in (found, expected)]
            self.close(*costs, costs[1], "distance from the median")

    def split_at(self, node):
        """The oracle's split with the same partition as the tree's, its threshold checked."""
        tree, rows = self.tree, self.rows[node]
        feature, threshold = tree.feature[node], tree.threshold[node]
        left = set(self.rows[tree.children_left[node]])
        matches = [
            split
            for split in all_cuts(self.problem, rows, feature)
            if set(split.left) == left and split.low <= threshold
        ]
        assert matches, f"node {node} does not cut between two values that it holds"
        split = matches[0]
        assert split.low <= threshold
        assert threshold < split.high or math.isinf(threshold)
        assert math.isinf(threshold) == math.isinf(split.high)
        missing = [i for i in rows if math.isnan(self.problem.X[i][feature])]
        if missing:
            assert bool(tree.missing_go_to_left[node]) == split.missing_left
        else:
            heavier_left = len(split.left) > len(split.right)
            assert bool(tree.missing_go_to_left[node]) == heavier_left
        return split

    def check_midpoint(self, split, threshold):
        if math.isinf(split.high):
            return
        middle = split.low / 2.0 + split.high / 2.0
        if _rounds_up_in_float32(split.low, middle, split.high):
            middle = split.low
        self.close(threshold, middle, abs(split.low) + abs(split.high), "threshold")

    def check_choice(self, node):
        """Check that a split was allowed and no better one was; return it and its gain."""
        problem, rows, bounds = self.problem, self.rows[node], self.bounds[node]
        split = self.split_at(node)
        assert is_feasible(problem, split, bounds, slack=TOLERANCE)
        assert len(rows) >= problem.min_samples_split
        assert self.depth[node] < problem.max_depth
        assert not is_pure(problem, rows)
        gain, scale = split.gain(problem, node_term(problem, rows)), self.scale(node)
        room = TOLERANCE * scale
        assert gain / self.root_weight >= problem.min_impurity_decrease - room / self.root_weight
        assert gain >= -room, "a negative gain was taken"
        if self.estimator.splitter == "best":
            self.check_midpoint(split, self.tree.threshold[node])
            features = None if self.all_features else [split.feature]
            cuts = ranked_cuts(problem, rows, features)
            strict = best_gain(problem, cuts, bounds, -TOLERANCE)
            assert gain >= strict - room, f"gain {gain} of node {node}, brute force {strict}"
            assert gain <= best_gain(problem, cuts, bounds, TOLERANCE) + room
            if self.all_features:
                self.check_shannon_ties(node, split, gain, cuts)
        return split, gain

    def check_shannon_ties(self, node, split, gain, cuts):
        """Where many gains are equal, Shannon's decides among them (whole weights only)."""
        problem, rows = self.problem, self.rows[node]
        room = TOLERANCE * self.scale(node)
        flat = problem.criterion == "misclassification" or (
            problem.criterion == "renyi" and math.isinf(problem.order)
        )
        whole = all(float(w).is_integer() for w in problem.weight)
        if not (flat and whole):
            return
        shannon = with_criterion(problem, "entropy")
        term = node_term(shannon, rows)
        chosen = split.gain(shannon, term)
        for other_gain, other in cuts:
            tied = abs(other_gain - gain) <= 1e-3 * room
            if tied and is_feasible(problem, other, self.bounds[node], -TOLERANCE):
                assert chosen >= other.gain(shannon, term) - room

    def strict_gain(self, node):
        """Best gain among the cuts that rounding does not make doubtful."""
        cuts = ranked_cuts(self.problem, self.rows[node])
        return best_gain(self.problem, cuts, self.bounds[node], -TOLERANCE)

    def had_to_stop(self, node):
        """Whether a leaf had a right to stop, the number of leaves aside."""
        problem, rows = self.problem, self.rows[node]
        weight = weight_of(problem, rows)
        if (
            self.depth[node] >= problem.max_depth
            or len(rows) < problem.min_samples_split
            or weight < 2.0 * problem.min_weight_leaf * (1.0 + TOLERANCE)
            or is_pure(problem, rows)
        ):
            return True
        best = self.strict_gain(node)
        if best == -math.inf:
            return True
        room = TOLERANCE * self.scale(node) / self.root_weight
        if best / self.root_weight < problem.min_impurity_decrease + room * (
            problem.min_impurity_decrease > 0.0
        ):
            # A gain of zero is taken: only a clearly negative one stops a node.
            return problem.min_impurity_decrease > 0.0 or best < -1e-6 * room * self.root_weight
        return False

    def descend(self, node, split):
        low, high = self.bounds[node]
        left, right = (low, high), (low, high)
        sign = self.problem.monotonic[split.feature] if self.problem.monotonic else 0
        if sign:
            middle = sum(constrained_value(self.problem, s) for s in (split.left, split.right)) / 2
            left, right = (
                ((low, middle), (middle, high))
                if sign > 0
                else (
                    (middle, high),
                    (low, middle),
                )
            )
        for child, bounds in (
            (self.tree.children_left[node], left),
            (self.tree.children_right[node], right),
        ):
            self.bounds[child] = bounds
            self.depth[child] = self.depth[node] + 1

    def run(self):
        limit = self.estimator.max_leaf_nodes
        full = limit is not None and self.tree.n_leaves >= limit
        assert limit is None or self.tree.n_leaves <= limit
        gains = {}
        for node in range(self.tree.node_count):
            self.check_statistics(node)
            if self.tree.children_left[node] != -1:
                split, gains[node] = self.check_choice(node)
                self.descend(node, split)
            elif full:
                if not self.had_to_stop(node):
                    gains[node] = self.strict_gain(node)
            elif self.all_features and self.estimator.splitter == "best":
                assert self.had_to_stop(node), f"leaf {node} stopped without a reason"
        if full and self.all_features and self.estimator.splitter == "best":
            self.check_best_first(gains)

    def check_best_first(self, gains):
        """Grow the tree again by largest gain: it must end with the same nodes."""
        frontier = [0] if 0 in gains else []
        room = TOLERANCE * self.scale(0)
        for _ in range(self.tree.n_leaves - 1):
            inner = [n for n in frontier if self.tree.children_left[n] != -1]
            node = max(inner, key=gains.get)
            assert gains[node] >= max(map(gains.get, frontier)) - room, "not the best first"
            frontier.remove(node)
            children = (self.tree.children_left[node], self.tree.children_right[node])
            frontier.extend(child for child in children if child in gains)


def walk(estimator, X, y, sample_weight=None):
    """Assert that a fitted, unpruned tree solves its problem as well as brute force does.

    Parameters
    ----------
    estimator : DecisionTreeClassifier or DecisionTreeRegressor
        Fitted on exactly these rows, ccp_alpha zero.
    X : array-like of shape (n_rows, n_features)
        Values, NaN where missing.
    y : array-like
        Targets.
    sample_weight : array-like, optional
        Weights.
    """
    check_tree(estimator)
    _Walk(estimator, problem_of(estimator, X, y, sample_weight)).run()
