from ._code_types cimport *
from ._records cimport Growth
from ._types cimport *

cdef enum:
    # Cells still to be seen before the clock is looked at, some milliseconds of work.
    CELLS_PER_POLL = 2000000

cdef CodeNode* new_node(int32_t n_classes, int32_t n_columns) noexcept nogil
cdef int32_t write_record(Growth* growth, int64_t n_samples, double impurity) noexcept nogil
cdef int write_classes(
    Growth* growth, int32_t id, int32_t n_classes, const int32_t* classes, const int32_t* counts
) noexcept nogil
cdef double impurity_of(
    const CodeSearch* search, int32_t n_classes, const int32_t* counts, int32_t n,
    double* scratch, int32_t* n_present,
) noexcept nogil
cdef bint is_terminal(
    const CodeSearch* search, int32_t n, int32_t depth, int32_t n_present
) noexcept nogil
cdef int grow_small(
    const CodeSearch* search, Growth* growth, int32_t id, int32_t depth, double impurity,
    int32_t n, const int32_t* samples, int32_t n_classes, const int32_t* classes,
    const int32_t* counts, CodeWorkspace* work,
) noexcept nogil
cdef int split_node(
    CodeSearch* search, Growth* growth, CodeNode* node, CodeWorkspace* work, CodeNode** children
) noexcept nogil
