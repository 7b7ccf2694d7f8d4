"""The tree as it is written down during growth."""

from ._node cimport Buffers, Candidate
from ._types cimport *
from ._workspace cimport Workspace

# One node of the tree as it is written down during growth.
cdef struct Record:
    int32_t left            # record of the left child, the right one follows; -1: a leaf
    int32_t subtree         # number of the growth that continues here, -1: none
    int32_t feature
    uint8_t missing_goes_left
    uint8_t needs_double
    int64_t n_samples
    int64_t weight          # units
    int64_t first_class     # leaves in classification: their classes
    int64_t n_classes
    double threshold
    double impurity

# The records of a tree, or of one subtree.
cdef struct Growth:
    void** blocks           # of RECORDS_PER_BLOCK records each, and behind them their values
    int64_t n_blocks
    int64_t block_capacity
    int64_t n_records
    int32_t value_stride    # values of a record
    int32_t* classes        # of the leaves, one after the other
    int64_t* class_weights
    int64_t n_classes
    int64_t class_capacity
    int64_t bytes_asked     # what could not be had

cdef enum:
    RECORD_BITS = 8
    RECORDS_PER_BLOCK = 1 << RECORD_BITS


cdef inline Record* record_of(const Growth* growth, int64_t id) noexcept nogil:
    return <Record*> growth.blocks[id >> RECORD_BITS] + (id & (RECORDS_PER_BLOCK - 1))


cdef inline double* values_of(const Growth* growth, int64_t id) noexcept nogil:
    cdef Record* block = <Record*> growth.blocks[id >> RECORD_BITS]
    return (
        <double*> (block + RECORDS_PER_BLOCK)
        + (id & (RECORDS_PER_BLOCK - 1)) * growth.value_stride
    )


cdef int reserve_record(Growth* growth) noexcept nogil
cdef int reserve_classes(Growth* growth, int64_t n_more) noexcept nogil
cdef void release(Growth* growth) noexcept nogil
cdef int write_record(
    const Search* search, Growth* growth, Node* node, const int32_t* samples, Workspace* work
) noexcept nogil
cdef int write_leaf(const Search* search, Growth* growth, const Node* node) noexcept nogil
cdef int write_split(
    const Search* search, Growth* growth, Candidate* candidate, const int32_t* divided,
    Workspace* work,
) noexcept nogil
cdef int apply_split(
    const Search* search, Buffers* buffers, Growth* growth, Candidate* candidate, Workspace* work
) noexcept nogil
cdef assemble(
    Growth** subtrees, int32_t n_subtrees, double weight_unit, double scale
)
