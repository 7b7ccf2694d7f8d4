from ._types cimport *

cdef void add_samples(
    const Targets* targets, const int32_t* samples, int32_t n_samples, int64_t* stats,
    int64_t* weight,
) noexcept nogil
cdef bint is_pure(
    const Targets* targets, const int32_t* samples, int32_t n_samples, const int64_t* stats
) noexcept nogil
cdef double impurity_of(
    const Search* search, const int32_t* samples, int32_t n_samples, const int64_t* stats,
    int64_t weight, double* counts, uint64_t* pairs, uint64_t* spare,
) noexcept nogil
cdef double value_of(
    const Search* search, int32_t output, const int32_t* samples, int32_t n_samples,
    uint64_t* pairs, uint64_t* spare,
) noexcept nogil
cdef double spread_about(
    const Search* search, int32_t output, const int32_t* samples, int32_t n_samples, double centre
) noexcept nogil
cdef double side_score(
    const Search* search, const int64_t* stats, int64_t weight, const int64_t* node_stats,
    int64_t node_weight, double* counts, bint shannon,
) noexcept nogil
