"""Every C type of the compiled core, once."""

from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

# One sample in the sorted list of one feature: class | sample index | start bit, from the
# highest bit to the lowest.  The start bit says that the value differs from the value of the
# entry before it; the class is there only where the bits suffice (TrainingSet.class_shift).
ctypedef uint32_t entry_t

# The same in a subtree of few samples, native/narrow.h: local sample index | class | start bit.
ctypedef uint16_t narrow_t

# Share of one feature's list that belongs to a node.  The entries lie in the order
#     below | above | missing
# and between below and above come, unstored, the samples of the node that hold the feature's
# default value.  A column without a default value has no such samples, and no entry above.
cdef struct Segment:
    int32_t feature
    int32_t start       # of the first entry, counted from the start of the feature's list
    int32_t n_below
    int32_t n_above
    int32_t n_missing

# Where the raw values of the training samples lie: a dense matrix, or the columns of a sparse one.
cdef struct Values:
    const char* dense               # NULL for a sparse matrix
    Py_ssize_t row_stride           # in bytes
    Py_ssize_t column_stride
    bint is_double                  # float64, else float32
    const char* sparse_data
    const int32_t* sparse_rows      # sorted within each column
    const int64_t* sparse_starts    # of the columns

# The targets.  Weights and weighted targets are whole numbers of a small unit, so that sums
# are exact and do not depend on the order of the samples.
cdef struct Targets:
    bint is_classification
    bint has_unit_weights           # every weight is one unit
    int64_t n_total                 # samples and rows of weight zero: the row length below
    int32_t n_outputs
    int32_t n_stats                 # length of a statistics vector, see _statistics.pyx
    int32_t max_n_classes
    const int32_t* n_classes        # per output
    const int32_t* class_starts     # per output: its first class in the statistics vector
    const int32_t* labels           # [output][sample], NULL in regression
    const double* y                 # [output][sample], NULL in classification
    const int64_t* sums             # [output][sample]: weight * (y - centre), in sum_unit
    const int64_t* square_sums      # [output][sample]: weight * (y - centre)^2, in square_unit
    const double* centres           # per output
    double sum_unit
    double square_ratio             # square_unit / sum_unit^2
    const double* ridges            # per output: what gaussian_entropy adds to a variance
    const int64_t* weights          # per sample, in weight_unit; NULL where has_unit_weights
    double weight_unit              # value of one unit of weight

# How the runs of a list are scanned: by a kernel of native/, see _runs.pyx, or by _sweep.pyx.
cdef enum Scan:
    SCAN_OTHER
    SCAN_BINARY         # Gini, two classes of unit weight that the entries hold
    SCAN_CLASSES        # Gini, whole weights
    SCAN_BINARY_TERMS   # another criterion of power sums, two classes of unit weight
    SCAN_POWERS         # the same, any number of classes of whole weight
    SCAN_MOMENTS        # squared error, one output

# What the search and the stopping rules need to know of the estimator's parameters.
cdef struct Rules:
    int formula                     # native/impurity.h
    double order
    bint shannon_ties
    bint random_thresholds
    int32_t max_features            # features drawn in each node
    int32_t max_depth
    int64_t min_samples_split
    int64_t min_samples_leaf
    int64_t min_weight_leaf         # in units of weight
    double min_decrease             # least gain, in weight * impurity in the formula's unit
    int64_t max_leaf_nodes          # 0: no limit
    const int8_t* monotonic         # per feature, NULL without constraints

# The best split of one node.
cdef struct Split:
    double score                    # larger is better; comparable within a node only
    double tie_score                # decides between equal scores
    int32_t feature                 # -1: no feasible split
    int32_t n_left                  # samples
    int32_t n_stored_left           # how many of below and above go left
    bint default_goes_left
    bint missing_goes_left
    bint needs_double           # in float32 the two sides would not be told apart
    double threshold
    int32_t bin                 # histogram mode: codes up to this one go left

# The splits of a tree grown before on the same samples, by node; see _guides.py.
cdef struct GuideArrays:
    const int32_t* feature          # NULL without a guide; negative in a leaf
    const int32_t* left
    const int32_t* right
    const int32_t* n_samples
    const double* threshold
    const uint8_t* missing_goes_left

# Everything that stays the same while a tree grows.
cdef struct Search:
    Values values
    Targets targets
    Rules rules
    GuideArrays guide
    int class_shift
    uint32_t index_mask
    int32_t n_features
    int32_t n_total                 # rows of X
    const int64_t* list_starts
    const double* default_values
    const double* count_terms       # NULL: the criterion's power sums are not kept in tables
    const double* weight_terms
    const double* tie_terms         # Shannon's, where sums of largest classes serve; else NULL
    const int32_t* y_ranks          # [output][sample]: rank of y, NULL but for absolute_error
    bint sums_classes               # class power sums serve; else statistics vectors
    bint sums_moments               # one output's moments serve
    Scan scan                       # which kernels of native/ serve
    bint is_screened                # cuts that cannot be the best need no score, _screened.pyx
    bint is_concave                 # the criterion, for this number of classes
    bint keeps_samples              # the samples of a node are listed in the order of their rows
    bint may_narrow                 # small subtrees may be grown on narrow lists
    bint may_be_tiny                # those of a few samples may be grown in one go
    int simd                        # native/simd.h
    # Narrow lists: samples and classes are numbered within a subtree.
    bint is_narrow
    int n_chunks                    # of 128 samples in the subtree
    const int32_t* global_sample    # NULL where the numbers are global
    const int32_t* global_class

# A node that may still be split.
cdef struct Node:
    int32_t id
    int32_t start                   # of its samples
    int32_t n_samples
    int32_t depth
    int32_t n_segments
    int buffer                      # which of the two buffers holds its samples and entries
    bint is_terminal                # by its own statistics: pure, too small or too deep
    int32_t guide                   # its node in Search.guide, -1 where that tree does not go on
    uint64_t seed
    double lower_bound              # of its value, under monotonic constraints
    double upper_bound
    double value                    # regression, one output: unbounded
    double impurity
    int64_t weight                  # in units
    int64_t* stats                  # first class weights or (sum, square sum) of each output
    Segment* segments               # of the features that may still vary
    void* histogram                 # histogram mode: its cells, where they are kept
    bint changes_form               # its subtree goes on in another form, see Buffers.enter
