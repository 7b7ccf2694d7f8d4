from ._signals cimport must_stop
from ._types cimport *

cdef extern from "native/narrow.h" nogil:
    ctypedef struct tl_narrow_node:
        int n_samples
        int n_classes
        int lowest
        int highest
        uint16_t code[32]
        float count[32]
        float square_sum

    const int TL_NARROW_SAMPLES, TL_NARROW_CLASSES, TL_NARROW_SLACK, TL_NARROW_SHIFT

cdef extern from "native/tiny.h" nogil:
    const int TL_TINY_SAMPLES, TL_TINY_SLACK

cdef extern from "native/runs.h" nogil:
    ctypedef struct tl_reader:
        int is_narrow
        int class_shift
        uint32_t index_mask
        const int32_t* labels
        const int64_t* weights

    ctypedef struct tl_bounds:
        int64_t n_samples
        int64_t lowest
        int64_t highest
        int64_t weight
        int64_t lowest_weight

    ctypedef struct tl_left:
        int64_t n
        int64_t weight
        int64_t* stats

    ctypedef struct tl_terms:
        int formula
        double order
        const double* terms
        const double* weight_terms
        int is_concave

cdef extern from "native/powers.h" nogil:
    ctypedef struct tl_trees:
        int n_local
        int n_leaves
        const int32_t* place
        double* left
        double* right
        int64_t* left_counts
        int64_t* right_counts

cdef enum:
    BLOCK = 512  # candidates evaluated at a time: their arrays stay in the first-level cache

# Scratch memory of one thread.
cdef struct Workspace:
    # Candidates of one feature that wait for their score.
    int32_t* position               # code of the cut, see _scan.pyx
    double* weight_left             # in units
    double* sum_left
    double* sum_right
    double* square_left             # regression; power sums of two classes
    double* square_right
    double* score
    # Statistics while one feature is scanned.
    int64_t* left
    int64_t* right
    int64_t* above
    int64_t* missing
    int64_t* nothing                # always 0
    double* counts                  # as many as an output has classes
    double* left_tree
    double* right_tree
    # What is prepared once a node.
    int32_t n_local                 # classes present in the node
    int32_t n_tree_leaves           # the next power of two
    int32_t* local_class            # class -> its place among those present
    int64_t* local_counts
    tl_narrow_node narrow_node
    tl_reader reader
    tl_bounds bounds
    tl_terms terms
    tl_trees trees
    # Moving entries.
    uint32_t* goes_left             # one bit a sample, all 0 between nodes
    int32_t n_listed                # samples of the node that is partitioned, those that go left
    int32_t n_left
    entry_t* widened                # a narrow list as 32-bit entries
    # Narrow lists and what their local numbers stand for: see _local.pyx.
    narrow_t* narrow[2]
    int64_t* narrow_starts          # per feature
    int32_t* local_samples[2]
    int32_t* global_sample
    int32_t* global_class
    int32_t* local_labels
    int64_t* local_weights
    int64_t* local_sums
    int64_t* local_squares
    double* local_y
    # Lists of a few samples: see _tiny.pyx.
    uint16_t* tiny_entries
    uint8_t* tiny_rank
    # Scores that are near enough: see _screened.pyx.
    void* screen                    # a tl_screen
    int64_t* before                 # statistics of the left side before a block
    # Drawing features, moving entries, medians.
    int32_t* features               # a permutation
    int32_t* place                  # feature -> its segment in the node, -1: it is constant
    entry_t* spare
    uint64_t* pairs
    uint64_t* spare_pairs
    int32_t* order                  # absolute_error: samples as one feature orders them
    int32_t* local_rank             # absolute_error: by sample
    int32_t* links                  # absolute_error: by rank, the ranks before and behind
    double* costs
    uint8_t* marks                  # by sample, all 0 between uses
    # Histogram mode: taken when they are first needed.
    void* cells                     # of a node that keeps none
    uint64_t* sorted_codes          # code << 32 | place in the node
    uint64_t* spare_codes
    # Exact search through bins: grows with what is asked of it.
    void* scratch
    size_t scratch_bytes
    # Signals: looked at by the thread that holds Python alone.
    bint polls
    bint is_stopped
    const int* shared_status        # not 0 once any thread has failed or was interrupted
    int64_t until_poll              # entries still to be seen before the clock is looked at
    double last_poll

cdef int open_workspace(Workspace* workspace, const Search* search) noexcept nogil
cdef void* scratch_of(Workspace* workspace, size_t n_bytes) noexcept nogil
cdef void close_workspace(Workspace* workspace) noexcept nogil

cdef enum:
    # Entries between two looks at the clock, some milliseconds of work: asking for the time can
    # take as long as scanning a small node.
    ENTRIES_PER_POLL = 200000

cdef inline bint is_stopped(Workspace* workspace, int64_t n_entries) noexcept nogil:
    """Return whether growth is to end, after so many more entries; sets what says so."""
    workspace.until_poll -= n_entries
    if workspace.until_poll > 0:
        return workspace.is_stopped
    workspace.until_poll = ENTRIES_PER_POLL
    if workspace.shared_status[0] != 0:
        workspace.is_stopped = True
    elif workspace.polls and must_stop(&workspace.last_poll):
        workspace.is_stopped = True
    return workspace.is_stopped
