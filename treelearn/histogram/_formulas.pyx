"""The compiled core's rules and formulas, asked for arrays of nodes and candidates.

What the NumPy kernels need of one node or one cut is computed here by the very functions that the
other engines call, so that all scores, impurities, values and draws have the same bits.
"""

from libc.math cimport INFINITY
from libc.string cimport memset

import numpy as np

from .._block cimport is_feasible, score_stats
from .._grower cimport Grower
from .._splitter cimport mix, threshold_between
from .._statistics cimport impurity_of, is_pure, value_of
from .._types cimport *

cdef extern from "native/impurity.h" nogil:
    const int TL_GINI, TL_POISSON, TL_GAUSSIAN
    double tl_moment_score(int, double, double, double, double)

cdef extern from "native/block.h" nogil:
    void tl_gini_binary(const double*, const double*, double, double, int, int, double*)
    void tl_gini_sums(const double*, const double*, const double*, double, int, int, double*)
    void tl_score_sums(
        int, double, const double*, const double*, const double*, double, const double*, int, int,
        double*
    )
    void tl_squared_error(
        const double*, const double*, const double*, double, double, int, int, double*
    )

# Path of a node: what its children's seeds are made of (_node.pyx).
cdef uint64_t LEFT_SEED = <uint64_t> 0xA0761D6478BD642F
cdef uint64_t RIGHT_SEED = <uint64_t> 0xE7037ED1A0B428DB


cdef double tree_sum(
    const Search* search, const int64_t* counts, const int64_t* node_counts, double* tree
) noexcept nogil:
    """Return the sum of the terms of the classes along a binary tree, as _sweep.pyx keeps it."""
    cdef int32_t n_classes = search.targets.max_n_classes, c, n_local = 0, n_leaves = 1
    for c in range(n_classes):
        n_local += node_counts[c] > 0
    while n_leaves < n_local:
        n_leaves *= 2
    n_local = n_leaves
    for c in range(n_classes):
        if node_counts[c] > 0:
            tree[n_local] = search.count_terms[counts[c]]
            n_local += 1
    for c in range(n_local, 2 * n_leaves):
        tree[c] = 0.0
    for c in range(n_leaves - 1, 0, -1):
        tree[c] = tree[2 * c] + tree[2 * c + 1]
    return tree[1]


cdef double class_score(
    const Search* search, const Node* node, const int64_t* left, int64_t weight_left,
    const int64_t* right, double* tree,
) noexcept nogil:
    """Score a cut of classes with tables of terms."""
    cdef int formula = search.rules.formula
    cdef double weight = <double> node.weight, left_weight = <double> weight_left, score = 0.0
    cdef double sum_left = 0.0, sum_right = 0.0
    cdef int32_t c
    if search.targets.max_n_classes == 2 and search.targets.has_unit_weights:
        if formula == TL_GINI:
            sum_left = <double> left[1]
            tl_gini_binary(
                &left_weight, &sum_left, weight, <double> node.stats[1], 0, 1, &score
            )
            return score
        sum_left = search.count_terms[left[0]] + search.count_terms[left[1]]
        sum_right = search.count_terms[right[0]] + search.count_terms[right[1]]
    elif formula == TL_GINI:
        for c in range(search.targets.max_n_classes):
            sum_left += <double> left[c] * <double> left[c]
            sum_right += <double> right[c] * <double> right[c]
        tl_gini_sums(&left_weight, &sum_left, &sum_right, weight, 0, 1, &score)
        return score
    else:
        sum_left = tree_sum(search, left, node.stats, tree)
        sum_right = tree_sum(search, right, node.stats, tree)
    tl_score_sums(
        formula, search.rules.order, &left_weight, &sum_left, &sum_right, weight,
        search.weight_terms, 0, 1, &score,
    )
    return score


cdef double moment_score(
    const Search* search, const Node* node, const int64_t* left, int64_t weight_left,
    const int64_t* right,
) noexcept nogil:
    """Score a cut of one regression output."""
    cdef const Targets* targets = &search.targets
    cdef int formula = search.rules.formula
    cdef double left_weight = <double> weight_left, weight = <double> node.weight, score = 0.0
    cdef double sum_left = <double> left[0], sum_right = <double> right[0], ridge
    if formula == TL_POISSON or formula == TL_GAUSSIAN:
        ridge = targets.ridges[0] / targets.sum_unit / targets.sum_unit
        return tl_moment_score(
            formula, sum_left, <double> left[1] * targets.square_ratio,
            left_weight * targets.weight_unit, ridge,
        ) + tl_moment_score(
            formula, sum_right, <double> right[1] * targets.square_ratio,
            (weight - left_weight) * targets.weight_unit, ridge,
        )
    tl_squared_error(
        &left_weight, &sum_left, &sum_right, weight, <double> node.stats[0] / weight, 0, 1, &score
    )
    return score


cdef class Formulas(Grower):
    """Rules and formulas of one fit; parameters as of ``Grower``.

    Nodes are dicts of arrays, see ``grower.py``.
    """

    @property
    def rows(self):
        """Rows of the samples."""
        return self.training_set.rows

    @property
    def target_arrays(self):
        """Targets and weights by row, see ``TrainingSet``."""
        return self.training_set.arrays

    def facts(self):
        """Return what a kernel module needs to know of targets and rules, by name."""
        cdef const Search* search = &self.search
        cdef const Targets* targets = &search.targets
        cdef const Rules* rules = &search.rules
        arrays = self.training_set.arrays
        return {
            "formula": rules.formula,
            "order": rules.order,
            "shannon_ties": bool(rules.shannon_ties),
            "scale": self.scale,
            "max_features": rules.max_features,
            "max_depth": rules.max_depth,
            "min_samples_split": rules.min_samples_split,
            "min_samples_leaf": rules.min_samples_leaf,
            "min_weight_leaf": rules.min_weight_leaf,
            "min_decrease": rules.min_decrease,
            "max_leaf_nodes": rules.max_leaf_nodes,
            "monotonic": self.arrays.get("monotonic"),
            "tables": self.arrays.get("tables"),
            "sums_classes": bool(search.sums_classes),
            "sums_moments": bool(search.sums_moments),
            "is_classification": bool(targets.is_classification),
            "has_unit_weights": bool(targets.has_unit_weights),
            "n_outputs": targets.n_outputs,
            "n_stats": targets.n_stats,
            "class_starts": arrays.get("class_starts"),
            "n_classes": arrays.get("n_classes"),
            "sum_unit": targets.sum_unit,
            "square_ratio": targets.square_ratio,
            "centres": arrays.get("centres"),
            "ridges": arrays.get("ridges"),
            "weight_unit": targets.weight_unit,
            "weight_scale": self.weight_scale,
            "seed": mix(self.seed),
        }

    def scores(
        self,
        dict nodes,
        const int64_t[::1] node_of,
        const int32_t[::1] feature,
        const int64_t[:, ::1] left,
        const int64_t[::1] n_left,
        const int64_t[::1] weight_left,
    ):
        """Return the scores of cuts, minus infinity where a cut is not feasible, and tie scores.

        Parameters
        ----------
        nodes : dict of ndarray
            The nodes.
        node_of, feature, n_left, weight_left : ndarray of shape (n_cuts,)
            Place of the node, feature, samples and weight on the left.
        left : ndarray of shape (n_cuts, n_stats)
            Statistics of the left side.

        Returns
        -------
        scores, tie_scores : ndarray of shape (n_cuts,)
            float64.
        """
        cdef const Search* search = &self.search
        cdef int64_t m = node_of.shape[0], i
        cdef const int64_t[:, ::1] stats = nodes["stats"]
        cdef const int64_t[::1] n_samples = nodes["n_samples"]
        cdef const int64_t[::1] weight = nodes["weight"]
        cdef const double[::1] lower = nodes["lower"]
        cdef const double[::1] upper = nodes["upper"]
        scores = np.full(m, -np.inf)
        ties = np.zeros(m)
        cdef double[::1] score_view = scores
        cdef double[::1] tie_view = ties
        right = np.empty(search.targets.n_stats, dtype=np.int64)
        scratch = np.empty(4 * search.targets.max_n_classes + 4)
        cdef int64_t[::1] right_view = right
        cdef double[::1] scratch_view = scratch
        cdef Node node
        memset(&node, 0, sizeof(Node))
        for i in range(m):
            node.stats = <int64_t*> &stats[node_of[i], 0]
            node.n_samples = <int32_t> n_samples[node_of[i]]
            node.weight = weight[node_of[i]]
            node.lower_bound = lower[node_of[i]]
            node.upper_bound = upper[node_of[i]]
            if not is_feasible(
                search, &node, feature[i], &left[i, 0], weight_left[i], n_left[i], &right_view[0]
            ):
                continue
            if search.sums_classes:
                score_view[i] = class_score(
                    search, &node, &left[i, 0], weight_left[i], &right_view[0], &scratch_view[0]
                )
            elif search.sums_moments:
                score_view[i] = moment_score(
                    search, &node, &left[i, 0], weight_left[i], &right_view[0]
                )
            else:
                score_view[i] = score_stats(
                    search, &node, &left[i, 0], weight_left[i], &right_view[0], &scratch_view[0],
                    &tie_view[i],
                )
        scores[np.isnan(scores)] = -np.inf
        return scores, ties

    def describe(
        self,
        y,
        weights,
        const int32_t[::1] samples,
        const int64_t[::1] start,
        const int64_t[::1] n_samples,
        const int64_t[:, ::1] stats,
        const int64_t[::1] weight,
    ):
        """Return impurity, purity and values of nodes.

        Parameters
        ----------
        y : ndarray of shape (n_outputs, n_samples) or None
            float64 targets; None in classification, which needs no samples.
        weights : ndarray of shape (n_samples,) or None
            int64, in units; None where every sample weighs one.
        samples : ndarray of int32
            The samples, node after node.
        start, n_samples, weight : ndarray of shape (n_nodes,)
            Where the samples of each node stand, and their weight in units.
        stats : ndarray of shape (n_nodes, n_stats)
            Statistics vectors.

        Returns
        -------
        impurity : ndarray of shape (n_nodes,)
            In the formula's unit.
        is_pure : ndarray of shape (n_nodes,)
            uint8.
        value : ndarray of shape (n_nodes, n_values)
            The mean of every regression output; the share of class 0 in classification.
        """
        cdef Search search = self.search
        cdef Targets* targets = &search.targets
        cdef int64_t n_nodes = start.shape[0], i
        cdef int32_t output, n_values = 1 if targets.is_classification else targets.n_outputs
        cdef const int32_t* members = NULL
        cdef const double[:, ::1] y_view
        cdef const int64_t[::1] units
        cdef int32_t n
        if y is not None:
            y_view = y
            targets.y = &y_view[0, 0]
            targets.n_total = y_view.shape[1]
        if weights is not None:
            units = weights
            targets.weights = &units[0]
        impurity = np.empty(n_nodes)
        pure = np.empty(n_nodes, dtype=np.uint8)
        value = np.empty((n_nodes, n_values))
        counts = np.empty(targets.max_n_classes)
        cdef double[::1] impurity_view = impurity
        cdef uint8_t[::1] pure_view = pure
        cdef double[:, ::1] value_view = value
        cdef double[::1] counts_view = counts
        for i in range(n_nodes):
            if not targets.is_classification:
                members = &samples[start[i]]
            n = <int32_t> n_samples[i]
            impurity_view[i] = impurity_of(
                &search, members, n, &stats[i, 0], weight[i], &counts_view[0], NULL, NULL
            )
            pure_view[i] = is_pure(targets, members, n, &stats[i, 0])
            for output in range(n_values):
                if targets.is_classification:
                    value_view[i, output] = <double> stats[i, 0] / <double> weight[i]
                else:
                    value_view[i, output] = value_of(&search, output, members, n, NULL, NULL)
        return impurity, pure, value


def child_seeds(const uint64_t[::1] seeds):
    """Return the seeds of the left and of the right child of every node."""
    cdef int64_t i
    left = np.empty(seeds.shape[0], dtype=np.uint64)
    right = np.empty(seeds.shape[0], dtype=np.uint64)
    cdef uint64_t[::1] left_view = left
    cdef uint64_t[::1] right_view = right
    for i in range(seeds.shape[0]):
        left_view[i] = mix(seeds[i] ^ LEFT_SEED)
        right_view[i] = mix(seeds[i] ^ RIGHT_SEED)
    return left, right


def drawn_features(
    const uint64_t[::1] seeds, const uint8_t[:, ::1] varies, int32_t max_features
):
    """Return which features are drawn in every node, uint8 of shape (n_nodes, n_features).

    As in ``find_split``: drawing goes on until one feature that varies was drawn.
    """
    cdef int32_t n_features = <int32_t> varies.shape[1], i, j, feature
    cdef int64_t node
    cdef uint64_t state
    cdef bint has_varying
    drawn = np.zeros((varies.shape[0], n_features), dtype=np.uint8)
    features = np.empty(n_features, dtype=np.int32)
    cdef uint8_t[:, ::1] drawn_view = drawn
    cdef int32_t[::1] order = features
    for node in range(varies.shape[0]):
        for i in range(n_features):
            order[i] = i
        has_varying = False
        state = mix(seeds[node])
        i = 0
        while i < n_features and (i < max_features or not has_varying):
            state = mix(state)
            j = i + <int32_t> (state % <uint64_t> (n_features - i))
            feature = order[j]
            order[j] = order[i]
            order[i] = feature
            drawn_view[node, feature] = 1
            has_varying = has_varying or varies[node, feature]
            i += 1
    return drawn


def thresholds(const double[::1] low, const double[::1] high):
    """Return the threshold between the values on either side of every split.

    ``high`` is infinite where all values go left. Also returned: whether the two sides cannot be
    told apart in float32, as uint8.
    """
    cdef int64_t i
    found = np.empty(low.shape[0])
    needs_double = np.zeros(low.shape[0], dtype=np.uint8)
    cdef double[::1] found_view = found
    cdef uint8_t[::1] needs_view = needs_double
    for i in range(low.shape[0]):
        if high[i] == INFINITY:
            found_view[i] = INFINITY
            continue
        found_view[i] = threshold_between(low[i], high[i])
        needs_view[i] = not (
            <double> (<float> low[i]) <= found_view[i] < <double> (<float> high[i])
        )
    return found, needs_double
