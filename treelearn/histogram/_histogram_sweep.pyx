"""Passing bins and samples from the right side of a cut to the left, and adding up sides."""

from libc.string cimport memset

from .._pass cimport BINARY, MOMENTS, PLAIN, SUMS, Sweep
from .._sweep cimport fill_trees, set_term
from .._types cimport *
from .._workspace cimport Workspace
from ._bin_table cimport CLASSES, PAIRS, BinTable

cdef extern from "native/impurity.h" nogil:
    const int TL_GINI

cdef extern from "native/histogram.h" nogil:
    uint32_t tl_code(const uint8_t* record, int64_t feature, int code_bytes)


cdef inline void pass_class(
    const Search* search, int32_t label, int64_t units, Workspace* work, Sweep* sweep
) noexcept nogil:
    """Move units of one class from the right to the left, keeping the power sums."""
    cdef int32_t local = work.local_class[label]
    cdef int64_t count = work.left[local]
    if search.rules.formula == TL_GINI:
        # (count + w)^2 - count^2, exact: below 2^53
        sweep.sum_left += <double> (units * (2 * count + units))
        sweep.sum_right -= <double> (units * (2 * work.right[local] - units))
    work.left[local] = count + units
    work.right[local] -= units
    if search.rules.formula != TL_GINI:
        set_term(
            work.left_tree, work.n_tree_leaves + local, search.count_terms[work.left[local]]
        )
        set_term(
            work.right_tree, work.n_tree_leaves + local, search.count_terms[work.right[local]]
        )


cdef void pass_cell(
    const Search* search,
    const BinTable* table,
    const void* cells,
    int64_t cell,
    Workspace* work,
    Sweep* sweep,
) noexcept nogil:
    """Move the samples of one cell from the right to the left."""
    cdef const Targets* targets = &search.targets
    cdef const uint32_t* counts
    cdef const int64_t* words
    cdef int32_t c
    cdef uint64_t pair
    if table.layout == PAIRS:
        pair = (<const uint64_t*> cells)[cell]
        sweep.ones += <int64_t> (pair >> 32)
        sweep.weight_left += <int64_t> (pair & <uint64_t> 0xFFFFFFFF)
        return
    if table.layout == CLASSES:
        counts = <const uint32_t*> cells + cell * targets.n_stats
        for c in range(targets.n_stats):
            if counts[c] > 0:
                sweep.weight_left += counts[c]
                if sweep.method == SUMS:
                    pass_class(search, c, counts[c], work, sweep)
                else:
                    work.left[c] += counts[c]
        return
    words = <const int64_t*> cells + cell * (table.cell_bytes // 8)
    if targets.has_unit_weights:
        sweep.weight_left += words[0]
        words += 1
    else:
        sweep.weight_left += words[1]
        words += 2
    if sweep.method == MOMENTS:
        sweep.moment_left += words[0]
        if table.n_stats_kept > 1:
            sweep.square_left += words[1]
    elif sweep.method == SUMS:
        for c in range(targets.n_stats):
            if words[c] > 0:
                pass_class(search, c, words[c], work, sweep)
    else:
        for c in range(table.n_stats_kept):
            work.left[c] += words[c]


cdef inline int32_t class_of_record(
    const Search* search, const BinTable* table, const uint8_t* record, const int32_t* samples,
    int64_t i,
) noexcept nogil:
    if table.has_class:
        return tl_code(record, table.n_features, table.code_bytes)
    return search.targets.labels[samples[i]]


cdef void add_to_stats(
    const Search* search,
    const BinTable* table,
    const uint8_t* records,
    const int32_t* samples,
    int64_t i,
    int64_t* stats,     # in, out
    int64_t* weight,    # in, out
) noexcept nogil:
    """Add one sample of a node to a statistics vector."""
    cdef const Targets* targets = &search.targets
    cdef int64_t units = 1, n_total = targets.n_total
    cdef int32_t output, sample
    if not targets.has_unit_weights:
        units = targets.weights[samples[i]]
    weight[0] += units
    if targets.is_classification and targets.n_outputs == 1:
        stats[
            class_of_record(search, table, records + i * table.record_bytes, samples, i)
        ] += units
        return
    sample = samples[i]
    for output in range(targets.n_outputs):
        if targets.is_classification:
            stats[
                targets.class_starts[output] + targets.labels[output * n_total + sample]
            ] += units
        else:
            stats[2 * output] += targets.sums[output * n_total + sample]
            stats[2 * output + 1] += targets.square_sums[output * n_total + sample]


cdef void pass_sample(
    const Search* search,
    const BinTable* table,
    const uint8_t* records,
    const int32_t* samples,
    int64_t i,
    Workspace* work,
    Sweep* sweep,
) noexcept nogil:
    """Move one sample of a node from the right to the left."""
    cdef const Targets* targets = &search.targets
    cdef int64_t units = 1
    if sweep.method == PLAIN:
        add_to_stats(search, table, records, samples, i, work.left, &sweep.weight_left)
        return
    if not targets.has_unit_weights:
        units = targets.weights[samples[i]]
    sweep.weight_left += units
    if sweep.method == MOMENTS:
        sweep.moment_left += targets.sums[samples[i]]
        if table.n_stats_kept > 1:
            sweep.square_left += targets.square_sums[samples[i]]
    elif sweep.method == BINARY:
        sweep.ones += class_of_record(
            search, table, records + i * table.record_bytes, samples, i
        )
    else:
        pass_class(
            search,
            class_of_record(search, table, records + i * table.record_bytes, samples, i),
            units, work, sweep,
        )


cdef void clear_left(
    const Search* search, const Node* node, Workspace* work, Sweep* sweep
) noexcept nogil:
    """Start a sweep with nothing on the left."""
    sweep.weight_left = 0
    sweep.ones = 0
    sweep.moment_left = 0
    sweep.square_left = 0
    if sweep.method == SUMS:
        memset(work.left, 0, work.n_local * sizeof(int64_t))
        fill_trees(search, work, sweep)
    elif sweep.method == PLAIN:
        memset(work.left, 0, search.targets.n_stats * sizeof(int64_t))


cdef void sum_left(
    const Search* search,
    const Node* node,
    const BinTable* table,
    const void* cells,          # NULL: the samples are passed one by one
    const uint8_t* records,
    const int32_t* samples,
    const Split* split,
    int64_t* stats,             # out: zero before
    int64_t* weight,            # out: zero before
    int32_t* n_left,            # out
) noexcept nogil:
    """Sum the statistics of the left side of a split."""
    cdef const Targets* targets = &search.targets
    cdef int64_t first = table.cell_starts[split.feature], cell, i
    cdef int32_t n_bins = table.n_bins[split.feature]
    cdef int32_t c, n_cells
    cdef uint32_t code
    cdef uint64_t pair
    cdef const uint32_t* counts
    cdef const int64_t* words
    n_left[0] = 0
    if cells == NULL:
        for i in range(node.n_samples):
            code = tl_code(records + i * table.record_bytes, split.feature, table.code_bytes)
            if code <= <uint32_t> split.bin or (
                split.missing_goes_left and code == <uint32_t> n_bins
            ):
                n_left[0] += 1
                add_to_stats(search, table, records, samples, i, stats, weight)
        return
    n_cells = split.bin + 1
    if split.missing_goes_left and table.has_missing[split.feature]:
        n_cells += 1  # the last one stands for the missing values
    for i in range(n_cells):
        cell = first + (i if i <= split.bin else n_bins)
        n_left[0] += <int32_t> samples_in(search, table, cells, cell)
        if table.layout == PAIRS:
            pair = (<const uint64_t*> cells)[cell]
            stats[1] += <int64_t> (pair >> 32)
            stats[0] += <int64_t> (pair & <uint64_t> 0xFFFFFFFF) - <int64_t> (pair >> 32)
        elif table.layout == CLASSES:
            counts = <const uint32_t*> cells + cell * targets.n_stats
            for c in range(targets.n_stats):
                stats[c] += counts[c]
        else:
            words = <const int64_t*> cells + cell * (table.cell_bytes // 8)
            if not targets.has_unit_weights:
                weight[0] += words[1]
                words += 1
            words += 1
            for c in range(table.n_stats_kept):
                stats[c] += words[c]
    if targets.has_unit_weights:
        weight[0] = n_left[0]
