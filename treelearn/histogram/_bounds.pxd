"""The bins of a node, and what a cut inside each of them could reach."""

from libc.math cimport fabs, log2
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from .._node cimport Buffers
from .._types cimport *
from .._workspace cimport Workspace
from ._bin_table cimport BinTable

# The table of a search through bins, with what the histogram mode does not need.
cdef struct BoundedTable:
    BinTable base               # first: Buffers.table points at it
    const uint8_t* is_single    # per bin: whether it holds one value
    double patience             # how much longer than lists bins may seem to take

# What is known of a bin in a node.
cdef enum Fate:
    EMPTY
    DEAD        # no cut inside or at its borders can win
    SOLID       # one value, of several samples
    ALIVE

# The bins of a node, feature after feature: n_bins + 1 numbers each, see native/bounds.h.
cdef struct Bounds:
    double* n_before
    double* edge
    double* bound
    double* scratch
    uint8_t* fate
    int32_t* next           # where the next sample of a bin is written; -1: nowhere
    double* best_edge       # per feature
    int64_t* n_alive        # per feature: samples in bins that are alive; -1: none may win
    int64_t* largest        # per feature: samples in the largest of those
    int32_t* order          # the features, as they are looked at
    uint8_t* is_scanned     # per feature
    double bar              # what scores less cannot win

cdef inline double margin_of(const Node* node, double score) noexcept nogil:
    """More than rounding can make of a score.

    A score is the sum of the terms of two sides, none larger than the node's: n ln n at most, and
    no larger than the score itself where all terms have one sign. Each is right to some 1e-15.
    """
    cdef double n = <double> node.n_samples
    return 1e-11 * fabs(score) + 1e-12 * n * log2(n)


cdef inline int64_t first_of(const BinTable* table, int32_t feature) noexcept nogil:
    """Place of a feature's first bin in the arrays of Bounds."""
    return table.cell_starts[feature] + feature


cdef inline int64_t samples_of(const Bounds* bounds, int64_t place) noexcept nogil:
    """Samples of the node in a bin."""
    return <int64_t> (bounds.n_before[place + 1] - bounds.n_before[place])


cdef bint serves_bounds(const Search* search) noexcept nogil
cdef int open_bounds(const BinTable* table, Bounds* bounds) noexcept nogil
cdef void close_bounds(Bounds* bounds) noexcept nogil
cdef void bound_feature(
    const Search* search, const Node* node, const BinTable* table, int32_t feature,
    const Workspace* work, Bounds* bounds,
) noexcept nogil
cdef void mark_bins(
    const BoundedTable* bounded, int32_t feature, const Workspace* work, Bounds* bounds
) noexcept nogil
cdef double share_alive(
    const BoundedTable* bounded, const Node* node, const Workspace* work, Bounds* bounds
) noexcept nogil
cdef double most_alive(
    const Search* search, const Buffers* buffers, const Node* node
) noexcept nogil
cdef void sum_lower_bins(
    const Search* search, const Node* node, const BinTable* table, int32_t feature, int32_t bin,
    int64_t* stats,
) noexcept nogil
cdef void collect(
    const Search* search, const Buffers* buffers, const Node* node, int32_t first_feature,
    int32_t end_feature, const Bounds* bounds, uint32_t* found,
) noexcept nogil
