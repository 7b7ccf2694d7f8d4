from ._signals cimport must_stop
from ._types cimport *

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
    double* counts                  # as many as an output has classes
    double* left_tree
    double* right_tree
    # What is prepared once a node.
    int32_t n_local                 # classes present in the node
    int32_t n_tree_leaves           # the next power of two
    int32_t* local_class            # class -> its place among those present
    int64_t* local_counts
    # Drawing features, moving entries, medians.
    int32_t* features               # a permutation
    int32_t* place                  # feature -> its segment in the node, -1: it is constant
    entry_t* spare
    uint64_t* pairs
    uint64_t* spare_pairs
    int32_t* order                  # absolute_error: samples as one feature orders them
    int32_t* local_rank             # absolute_error: by sample
    int64_t* fenwick
    double* costs
    uint8_t* marks                  # by sample, all 0 between uses
    # Histogram mode: taken when they are first needed.
    void* cells                     # of a node that keeps none
    uint64_t* sorted_codes          # code << 32 | place in the node
    uint64_t* spare_codes
    # Signals: looked at by the thread that holds Python alone.
    bint polls
    bint is_stopped
    const int* shared_status        # not 0 once any thread has failed or was interrupted
    int64_t until_poll              # entries still to be seen before the clock is looked at
    double last_poll

cdef int open_workspace(Workspace* workspace, const Search* search) noexcept nogil
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
