"""Impurities, gains and best splits of many nodes given as arrays of class weights."""

from cython.parallel cimport prange
from libc.math cimport INFINITY, fabs, rint
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

import numpy as np

cdef extern from "native/impurity_block.h" nogil:
    const int TL_FLOAT64, TL_FLOAT32, TL_INT64, TL_LANES, TL_SHANNON
    int tl_impurity_block(
        int type, int criterion, double order, const void* counts, int64_t n_nodes,
        int n_classes, double scale, bint is_score, double* impurity,
    )
    double tl_class_impurity(int, double, const double*, int, double)
    double tl_log(double)
    double tl_log1p(double)
    double tl_exp(double)
    double tl_expm1(double)
    double tl_pow(double, double)
    double tl_log_quotient(double, double)
    double tl_exp_negative(double)

ctypedef fused number:
    double
    float
    int64_t

cdef enum:
    FINE = 0
    BAD_COUNTS = 1
    MEMORY_RAN_OUT = 2
    # Scores that decide ties by Shannon's are compared in steps, as in _block.pyx.
    STEPS_PER_WEIGHT = 1099511627776  # 2^40
    NODES_PER_TASK = 4096

# A gain this far from zero, as a share of the impurity, is rounding (_node.pyx).
cdef double ROUNDING = 1e-13

_BAD_COUNTS = "counts must be finite and none negative, with sums below 2**960."


cdef int fill_task(
    int type, int formula, double order, const void* counts, int64_t n_nodes, int n_classes,
    double scale, bint is_score,
    double* doubles,    # out, or NULL
    float* floats,      # out, or NULL
) noexcept nogil:
    """Fill the impurities of at most NODES_PER_TASK nodes; return a status."""
    cdef double[NODES_PER_TASK] found
    cdef int64_t i
    cdef int status
    if doubles != NULL:
        return tl_impurity_block(
            type, formula, order, counts, n_nodes, n_classes, scale, is_score, doubles
        )
    status = tl_impurity_block(
        type, formula, order, counts, n_nodes, n_classes, scale, is_score, found
    )
    if status == FINE:
        for i in range(n_nodes):
            floats[i] = <float> found[i]
    return status


def impurities(
    const number[:, ::1] counts, kernel, bint is_score=False, bint is_single=False,
    int n_threads=1,
):
    """Return the impurity of every row of class weights.

    Parameters
    ----------
    counts : ndarray of shape (n_nodes, n_classes)
        float64, float32 or int64, C-contiguous.
    kernel : treelearn.criteria.Kernel
        A criterion of classification.
    is_score : bool, default=False
        Return what a search adds up instead: larger is better, in the formula's unit.
    is_single : bool, default=False
        Return float32, rounded once.
    n_threads : int, default=1
        Threads.

    Returns
    -------
    ndarray of shape (n_nodes,)
        float64 or float32; 0 for a node without weight.

    Raises
    ------
    ValueError
        If a count is negative, NaN or infinite.
    """
    cdef int64_t n_nodes = counts.shape[0], first
    cdef int n_classes = <int> counts.shape[1], formula = kernel.formula, type
    cdef int status = FINE
    cdef double order = kernel.order, scale = kernel.scale
    found = np.empty(n_nodes, dtype=np.float32 if is_single else np.float64)
    cdef double[::1] doubles
    cdef float[::1] floats
    cdef double* to_doubles = NULL
    cdef float* to_floats = NULL
    if number is double:
        type = TL_FLOAT64
    elif number is float:
        type = TL_FLOAT32
    else:
        type = TL_INT64
    if n_classes == 0:
        found[:] = 0.0
    elif n_nodes > 0:
        if is_single:
            floats = found
            to_floats = &floats[0]
        else:
            doubles = found
            to_doubles = &doubles[0]
        for first in prange(
            0, n_nodes, NODES_PER_TASK, nogil=True, num_threads=n_threads, schedule="static"
        ):
            status |= fill_task(
                type, formula, order, &counts[first, 0],
                min(<int64_t> NODES_PER_TASK, n_nodes - first), n_classes, scale, is_score,
                NULL if is_single else to_doubles + first,
                to_floats + first if is_single else NULL,
            )
    if status != FINE:
        raise ValueError(_BAD_COUNTS)
    return found


# What one search over the features of one node knows.
cdef struct Question:
    int formula
    double order
    double scale
    bint shannon_ties
    bint has_missing
    int n_bins              # the one of missing values not counted
    int n_all_bins
    int n_classes
    int64_t n_features
    double min_weight_leaf
    int64_t min_samples_leaf

cdef struct Answer:
    double score
    double tie_score
    int32_t feature
    int32_t bin
    bint missing_goes_left

# Candidates that wait for their score.
cdef struct Waiting:
    double* left            # [TL_LANES][n_classes]
    double* right
    double* side            # of missing values, of the running left side, of the node
    int32_t* bin
    uint8_t* missing_goes_left
    double* score           # four of [TL_LANES]
    int n


cdef int score_waiting(
    const Question* question, Waiting* waiting, double weight, int32_t feature, Answer* best
) noexcept nogil:
    """Score the waiting candidates of a feature and keep the best; return a status."""
    cdef int n = waiting.n, lane
    cdef double* left = waiting.score
    cdef double* right = left + TL_LANES
    cdef double* left_tie = right + TL_LANES
    cdef double* right_tie = left_tie + TL_LANES
    cdef double score, tie_score
    waiting.n = 0
    if tl_impurity_block(
        TL_FLOAT64, question.formula, question.order, waiting.left, n, question.n_classes, 1.0,
        True, left,
    ) != 0 or tl_impurity_block(
        TL_FLOAT64, question.formula, question.order, waiting.right, n, question.n_classes, 1.0,
        True, right,
    ) != 0:
        return BAD_COUNTS
    if question.shannon_ties:
        tl_impurity_block(
            TL_FLOAT64, TL_SHANNON, 1.0, waiting.left, n, question.n_classes, 1.0, True, left_tie
        )
        tl_impurity_block(
            TL_FLOAT64, TL_SHANNON, 1.0, waiting.right, n, question.n_classes, 1.0, True,
            right_tie,
        )
    for lane in range(n):
        score = left[lane] + right[lane]
        tie_score = 0.0
        if question.shannon_ties:
            score = rint(score / weight * STEPS_PER_WEIGHT)
            tie_score = left_tie[lane] + right_tie[lane]
        # Candidates come by growing feature and bin, missing values right before left: of equal
        # ones the first stays.
        if score > best.score or (score == best.score and tie_score > best.tie_score):
            best.score = score
            best.tie_score = tie_score
            best.feature = feature
            best.bin = waiting.bin[lane]
            best.missing_goes_left = waiting.missing_goes_left[lane]
    return FINE


cdef int search_node(
    const Question* question,
    const double* histogram,        # of the node: [feature][bin][class]
    const int64_t* n_samples,       # [feature][bin], NULL: the weights are the counts
    Waiting* waiting,
    Answer* best,                   # out
    double* gain,                   # out
) noexcept nogil:
    """Find the best split of one node; return a status."""
    cdef int n_classes = question.n_classes, c, status
    cdef int32_t feature, bin
    cdef int64_t bins_before
    cdef double* missing = waiting.side
    cdef double* running = missing + n_classes
    cdef double* whole = running + n_classes
    cdef double weight = 0.0, weight_left = 0.0, weight_missing = 0.0, in_bin, term, weight_right
    cdef double present, samples_left, samples_missing, samples, left
    cdef const double* counts
    cdef bint goes_left
    cdef int side
    best.score = best.tie_score = -INFINITY
    best.feature = best.bin = -1
    best.missing_goes_left = False
    gain[0] = 0.0
    for feature in range(<int32_t> question.n_features):
        bins_before = feature * <int64_t> question.n_all_bins
        memset(missing, 0, 3 * n_classes * sizeof(double))
        samples = samples_missing = weight_missing = weight = 0.0
        for bin in range(question.n_all_bins):
            counts = histogram + (bins_before + bin) * n_classes
            in_bin = 0.0
            for c in range(n_classes):
                whole[c] += counts[c]
                in_bin += counts[c]
                if not counts[c] >= 0.0:
                    return BAD_COUNTS
                if bin >= question.n_bins:
                    missing[c] = counts[c]
            weight += in_bin
            if bin >= question.n_bins:
                weight_missing = in_bin
            if n_samples != NULL:
                samples += <double> n_samples[bins_before + bin]
                if bin >= question.n_bins:
                    samples_missing = <double> n_samples[bins_before + bin]
        if n_samples == NULL:
            samples = weight
            samples_missing = weight_missing
        present = samples_left = weight_left = 0.0
        for bin in range(question.n_bins):
            counts = histogram + (bins_before + bin) * n_classes
            in_bin = 0.0
            for c in range(n_classes):
                running[c] += counts[c]
                in_bin += counts[c]
            if n_samples != NULL:
                present = <double> n_samples[bins_before + bin]
            else:
                present = in_bin
            weight_left += in_bin
            samples_left += present
            if present <= 0.0:
                continue
            for side in range(2 if weight_missing > 0.0 else 1):
                goes_left = side == 1
                left = samples_left + (samples_missing if goes_left else 0.0)
                if samples - left <= 0.0:
                    continue
                if left < question.min_samples_leaf or samples - left < question.min_samples_leaf:
                    continue
                term = weight_left + (weight_missing if goes_left else 0.0)
                weight_right = weight - term
                if term < question.min_weight_leaf or weight_right < question.min_weight_leaf:
                    continue
                if term <= 0.0 or weight_right <= 0.0:
                    continue
                for c in range(n_classes):
                    in_bin = running[c] + (missing[c] if goes_left else 0.0)
                    waiting.left[waiting.n * n_classes + c] = in_bin
                    in_bin = whole[c] - in_bin
                    # Rounding alone: what is left of a class is never less than nothing.
                    waiting.right[waiting.n * n_classes + c] = in_bin if in_bin > 0.0 else 0.0
                waiting.bin[waiting.n] = bin
                waiting.missing_goes_left[waiting.n] = goes_left
                waiting.n += 1
                if waiting.n == TL_LANES:
                    status = score_waiting(question, waiting, weight, feature, best)
                    if status != FINE:
                        return status
        if waiting.n > 0:
            status = score_waiting(question, waiting, weight, feature, best)
            if status != FINE:
                return status
    if best.feature >= 0:
        gain[0] = gain_of(question, histogram, whole, best)
    return FINE


cdef double gain_of(
    const Question* question, const double* histogram, double* left, const Answer* best
) noexcept nogil:
    """Return the gain of a split per unit of the node's weight, in the reported unit."""
    cdef int n_classes = question.n_classes, c
    cdef double* right = left + n_classes
    cdef double* node = right + n_classes
    cdef const double* counts
    cdef double weight = 0.0, weight_left = 0.0, whole, gain
    cdef int32_t bin
    memset(left, 0, 3 * n_classes * sizeof(double))
    for bin in range(question.n_all_bins):
        counts = histogram + (best.feature * <int64_t> question.n_all_bins + bin) * n_classes
        for c in range(n_classes):
            node[c] += counts[c]
            weight += counts[c]
            if bin <= best.bin or (bin >= question.n_bins and best.missing_goes_left):
                left[c] += counts[c]
                weight_left += counts[c]
            else:
                right[c] += counts[c]
    whole = tl_class_impurity(question.formula, question.order, node, n_classes, weight)
    gain = whole - (
        weight_left / weight
        * tl_class_impurity(question.formula, question.order, left, n_classes, weight_left)
        + (weight - weight_left) / weight * tl_class_impurity(
            question.formula, question.order, right, n_classes, weight - weight_left
        )
    )
    return 0.0 if fabs(gain) < ROUNDING * whole else gain * question.scale


cdef void search_shared(
    const Question* question, const double* histogram, const int64_t* n_samples,
    int32_t* feature, int32_t* bin, uint8_t* missing_goes_left, double* gain, int* status,
) noexcept nogil:
    """Search one node with memory of its own, unless another thread has failed."""
    cdef Waiting waiting
    cdef Answer best
    cdef int found = MEMORY_RAN_OUT
    cdef size_t n_classes = question.n_classes
    if status[0] != FINE:
        return
    waiting.n = 0
    waiting.left = <double*> malloc(TL_LANES * n_classes * sizeof(double))
    waiting.right = <double*> malloc(TL_LANES * n_classes * sizeof(double))
    # gain_of uses the last of the three and two more.
    waiting.side = <double*> malloc(5 * n_classes * sizeof(double))
    waiting.score = <double*> malloc(4 * TL_LANES * sizeof(double))
    waiting.bin = <int32_t*> malloc(TL_LANES * sizeof(int32_t))
    waiting.missing_goes_left = <uint8_t*> malloc(TL_LANES)
    if (
        waiting.left != NULL and waiting.right != NULL and waiting.side != NULL
        and waiting.score != NULL and waiting.bin != NULL and waiting.missing_goes_left != NULL
    ):
        found = search_node(question, histogram, n_samples, &waiting, &best, gain)
    free(waiting.left)
    free(waiting.right)
    free(waiting.side)
    free(waiting.score)
    free(waiting.bin)
    free(waiting.missing_goes_left)
    if found != FINE:
        status[0] = found
        return
    feature[0] = best.feature
    bin[0] = best.bin
    missing_goes_left[0] = best.missing_goes_left


def search_histograms(
    const double[:, :, :, ::1] histograms,
    const int64_t[:, :, ::1] n_samples,
    kernel,
    bint has_missing,
    int64_t min_samples_leaf,
    double min_weight_leaf,
    int n_threads=1,
):
    """Return the best split of every node of positive size in all dimensions.

    Parameters
    ----------
    histograms : ndarray of shape (n_nodes, n_features, n_bins, n_classes)
        Class weights.
    n_samples : ndarray of shape (n_nodes, n_features, n_bins) or None
        Samples, where the weights are not their numbers.
    kernel : treelearn.criteria.Kernel
        A criterion of classification.
    has_missing : bool
        Whether the last bin is the one of missing values.
    min_samples_leaf, min_weight_leaf : int, float
        Least number and weight of samples on either side.
    n_threads : int, default=1
        Threads.

    Returns
    -------
    feature, bin, missing_goes_left, gain : ndarray of shape (n_nodes,)
        int32, int32, bool and float64; -1 where no split is feasible.

    Raises
    ------
    ValueError
        If a weight is negative, NaN or infinite.
    MemoryError
        If scratch memory cannot be had.
    """
    cdef Question question
    cdef int64_t n_nodes = histograms.shape[0], node
    cdef int status = FINE
    question.formula = kernel.formula
    question.order = kernel.order
    question.scale = kernel.scale
    question.shannon_ties = kernel.shannon_ties
    question.has_missing = has_missing
    question.n_features = histograms.shape[1]
    question.n_all_bins = <int> histograms.shape[2]
    question.n_bins = question.n_all_bins - has_missing
    question.n_classes = <int> histograms.shape[3]
    question.min_weight_leaf = min_weight_leaf
    question.min_samples_leaf = min_samples_leaf
    feature = np.full(n_nodes, -1, dtype=np.int32)
    bin = np.full(n_nodes, -1, dtype=np.int32)
    missing_goes_left = np.zeros(n_nodes, dtype=np.uint8)
    gain = np.zeros(n_nodes)
    cdef int32_t[::1] feature_view = feature
    cdef int32_t[::1] bin_view = bin
    cdef uint8_t[::1] missing_view = missing_goes_left
    cdef double[::1] gain_view = gain
    for node in prange(n_nodes, nogil=True, num_threads=n_threads, schedule="dynamic"):
        search_shared(
            &question, &histograms[node, 0, 0, 0],
            NULL if n_samples is None else &n_samples[node, 0, 0],
            &feature_view[node], &bin_view[node], &missing_view[node], &gain_view[node], &status,
        )
    if status == MEMORY_RAN_OUT:
        raise MemoryError("Unable to allocate scratch memory for the candidates of a node.")
    if status == BAD_COUNTS:
        raise ValueError(_BAD_COUNTS)
    return feature, bin, missing_goes_left.astype(bool), gain


def elementary(str name, const double[::1] x, const double[::1] y=None):
    """Return a function of native/elementary.h at every x, for its tests."""
    cdef int64_t n = x.shape[0], i
    found = np.empty(n)
    cdef double[::1] found_view = found
    for i in range(n):
        if name == "log":
            found_view[i] = tl_log(x[i])
        elif name == "log1p":
            found_view[i] = tl_log1p(x[i])
        elif name == "exp":
            found_view[i] = tl_exp(x[i])
        elif name == "expm1":
            found_view[i] = tl_expm1(x[i])
        elif name == "pow":
            found_view[i] = tl_pow(x[i], y[i])
        elif name == "exp_negative":
            found_view[i] = tl_exp_negative(x[i])
        else:
            found_view[i] = tl_log_quotient(x[i], y[i])
    return found


def scalar_impurities(const double[:, ::1] counts, kernel):
    """Return the impurities one node at a time, as growth computes them, for the tests."""
    cdef int64_t i
    cdef int c
    cdef double total
    found = np.zeros(counts.shape[0])
    cdef double[::1] found_view = found
    for i in range(counts.shape[0]):
        total = 0.0
        for c in range(<int> counts.shape[1]):
            total += counts[i, c]
        if total > 0.0:
            found_view[i] = kernel.scale * tl_class_impurity(
                kernel.formula, kernel.order, &counts[i, 0], <int> counts.shape[1], total
            )
    return found
