"""What a node knows of its samples: statistics, purity, impurity, value, score.

A statistics vector holds the weight of every class of every output, or (sum, square sum) of
the weighted targets of every output, in whole units: adding samples in any order, or taking
the difference of two nodes, gives the same bits.
"""

from libc.math cimport fabs

from ._sorting cimport sort_pairs
from ._types cimport *

cdef extern from "native/impurity.h" nogil:
    const int TL_SHANNON, TL_SQUARED_ERROR, TL_ABSOLUTE_ERROR, TL_POISSON, TL_GAUSSIAN
    double tl_log(double)
    double tl_class_impurity(int, double, const double*, int, double)
    double tl_class_score(int, double, const double*, int, double)
    double tl_moment_score(int, double, double, double, double)
    double tl_gaussian_impurity(double, double)


cdef void add_samples(
    const Targets* targets,
    const int32_t* samples,
    int32_t n_samples,
    int64_t* stats,     # in, out
    int64_t* weight,    # in, out
) noexcept nogil:
    """Add samples to a statistics vector and to its weight."""
    cdef int32_t i, sample, output
    cdef int64_t n_total, units
    if targets.has_unit_weights:
        weight[0] += n_samples
    else:
        for i in range(n_samples):
            weight[0] += targets.weights[samples[i]]
    if targets.is_classification and targets.n_outputs == 1:
        if targets.has_unit_weights:
            for i in range(n_samples):
                stats[targets.labels[samples[i]]] += 1
        else:
            for i in range(n_samples):
                stats[targets.labels[samples[i]]] += targets.weights[samples[i]]
        return
    n_total = targets.n_total
    for output in range(targets.n_outputs):
        if targets.is_classification:
            for i in range(n_samples):
                sample = samples[i]
                units = 1 if targets.has_unit_weights else targets.weights[sample]
                stats[
                    targets.class_starts[output] + targets.labels[output * n_total + sample]
                ] += units
        else:
            for i in range(n_samples):
                sample = samples[i]
                stats[2 * output] += targets.sums[output * n_total + sample]
                stats[2 * output + 1] += targets.square_sums[output * n_total + sample]


cdef bint is_pure(
    const Targets* targets, const int32_t* samples, int32_t n_samples, const int64_t* stats
) noexcept nogil:
    """Return whether every output is constant: by counts and values, never by an impurity."""
    cdef int32_t i, output, c, n_present
    cdef const double* y
    for output in range(targets.n_outputs):
        if targets.is_classification:
            n_present = 0
            for c in range(targets.n_classes[output]):
                n_present += stats[targets.class_starts[output] + c] > 0
            if n_present > 1:
                return False
        else:
            y = targets.y + output * targets.n_total
            for i in range(1, n_samples):
                if y[samples[i]] != y[samples[0]]:
                    return False
    return True


cdef int32_t sort_by_target(
    const Search* search,
    int32_t output,
    const int32_t* samples,
    int32_t n_samples,
    uint64_t* pairs,    # out: rank << 32 | sample, in order
    uint64_t* spare,
    bint* has_second,   # out: whether the median lies half-way to the next sample
) noexcept nogil:
    """Sort the samples of a node by target; return where the weighted median stands."""
    cdef const Targets* targets = &search.targets
    cdef const int32_t* ranks = search.y_ranks + output * targets.n_total
    cdef int64_t total = 0, seen = 0
    cdef int32_t i, sample
    for i in range(n_samples):
        sample = samples[i]
        pairs[i] = (<uint64_t> ranks[sample] << 32) | <uint32_t> sample
        total += 1 if targets.has_unit_weights else targets.weights[sample]
    sort_pairs(pairs, spare, n_samples)
    for i in range(n_samples):
        sample = <int32_t> <uint32_t> pairs[i]
        seen += 1 if targets.has_unit_weights else targets.weights[sample]
        if seen >= total - seen:
            has_second[0] = seen == total - seen
            return i
    return n_samples - 1


cdef double value_of(
    const Search* search,
    int32_t output,
    const int32_t* samples,
    int32_t n_samples,
    uint64_t* pairs,    # scratch, as is spare; both as long as samples
    uint64_t* spare,
) noexcept nogil:
    """Return the mean of a node's targets, their weighted median for absolute_error."""
    cdef const Targets* targets = &search.targets
    cdef const double* y = targets.y + output * targets.n_total
    cdef double total = 0.0, weight = 0.0, units, lowest, highest, mean
    cdef bint has_second = False
    cdef int32_t i, middle
    if search.rules.formula == TL_ABSOLUTE_ERROR:
        middle = sort_by_target(search, output, samples, n_samples, pairs, spare, &has_second)
        mean = y[<uint32_t> pairs[middle]]
        if has_second:
            mean = mean / 2.0 + y[<uint32_t> pairs[middle + 1]] / 2.0
        return mean
    lowest = highest = y[samples[0]]
    if targets.has_unit_weights:
        for i in range(n_samples):
            total += y[samples[i]]
            lowest = min(lowest, y[samples[i]])
            highest = max(highest, y[samples[i]])
        weight = <double> n_samples
    else:
        for i in range(n_samples):
            units = <double> targets.weights[samples[i]]
            total += units * y[samples[i]]
            weight += units
            lowest = min(lowest, y[samples[i]])
            highest = max(highest, y[samples[i]])
    mean = total / weight
    # The mean of equal numbers is that number, whatever the rounding of the sum was.
    return min(max(mean, lowest), highest)


cdef double spread_about(
    const Search* search,
    int32_t output,
    const int32_t* samples,
    int32_t n_samples,
    double centre,      # the value of the node
) noexcept nogil:
    """Return the impurity of one regression output, from the targets themselves."""
    cdef const Targets* targets = &search.targets
    cdef const double* y = targets.y + output * targets.n_total
    cdef double total = 0.0, weight = 0.0, units, target
    cdef int formula = search.rules.formula
    cdef int32_t i
    if formula == TL_GAUSSIAN and targets.ridges[output] == 0.0:
        return 0.0  # a constant output: there is nothing to learn about it
    if formula == TL_SQUARED_ERROR and targets.has_unit_weights:
        for i in range(n_samples):
            total += (y[samples[i]] - centre) * (y[samples[i]] - centre)
        return total / <double> n_samples
    for i in range(n_samples):
        units = 1.0 if targets.has_unit_weights else <double> targets.weights[samples[i]]
        target = y[samples[i]]
        weight += units
        if formula == TL_ABSOLUTE_ERROR:
            total += units * fabs(target - centre)
        elif formula == TL_POISSON:
            # Half of the deviance; the parts linear in the target add up to zero.
            if target > 0.0:
                total += units * target * tl_log(target / centre)
        else:
            total += units * (target - centre) * (target - centre)
    total /= weight
    if formula == TL_GAUSSIAN:
        return tl_gaussian_impurity(total, targets.ridges[output])
    return total


cdef double impurity_of(
    const Search* search,
    const int32_t* samples,
    int32_t n_samples,
    const int64_t* stats,
    int64_t weight,
    double* counts,     # scratch: as many as an output has classes
    uint64_t* pairs,    # scratch, as long as samples
    uint64_t* spare,
) noexcept nogil:
    """Return the impurity of a node in the formula's unit: the mean over the outputs."""
    cdef const Targets* targets = &search.targets
    cdef double total = 0.0, centre
    cdef int32_t output, c
    for output in range(targets.n_outputs):
        if targets.is_classification:
            for c in range(targets.n_classes[output]):
                counts[c] = <double> stats[targets.class_starts[output] + c]
            total += tl_class_impurity(
                search.rules.formula, search.rules.order, counts, targets.n_classes[output],
                <double> weight,
            )
        else:
            centre = value_of(search, output, samples, n_samples, pairs, spare)
            total += spread_about(search, output, samples, n_samples, centre)
    return total / targets.n_outputs


cdef double side_score(
    const Search* search,
    const int64_t* stats,
    int64_t weight,
    const int64_t* node_stats,  # of the node that is split
    int64_t node_weight,
    double* counts,             # scratch
    bint shannon,               # score by Shannon's entropy, to decide between equal scores
) noexcept nogil:
    """Return what one child adds to the score of a split; larger is better."""
    cdef const Targets* targets = &search.targets
    cdef int formula = TL_SHANNON if shannon else search.rules.formula
    cdef double total = 0.0, total_sum, real_weight, share
    cdef int32_t output, c
    for output in range(targets.n_outputs):
        if targets.is_classification:
            for c in range(targets.n_classes[output]):
                counts[c] = <double> stats[targets.class_starts[output] + c]
            total += tl_class_score(
                formula, search.rules.order, counts, targets.n_classes[output], <double> weight
            )
        else:
            real_weight = <double> weight * targets.weight_unit
            total_sum = <double> stats[2 * output]
            if formula != TL_POISSON:
                # About the mean of the node: the score is then no small difference of large
                # numbers, and the two sides of a split are rounded alike.
                share = <double> weight / <double> node_weight
                total_sum -= share * <double> node_stats[2 * output]
            if formula == TL_GAUSSIAN:
                if targets.ridges[output] == 0.0:
                    continue
                total_sum = <double> stats[2 * output]
            total += tl_moment_score(
                formula,
                total_sum,
                <double> stats[2 * output + 1] * targets.square_ratio,
                real_weight,
                targets.ridges[output] / targets.sum_unit / targets.sum_unit,
            )
    return total
