"""A node on its way through growth."""

from ._types cimport *
from ._workspace cimport Workspace

cdef enum Status:
    DONE = 0
    MEMORY_RAN_OUT = 1
    INTERRUPTED = 2
    CHANGES_FORM = 3    # the node, or the whole tree, is sooner grown in another form

# A node with the split found for it.
cdef struct Candidate:
    Node node
    Node left
    Node right
    Split split
    double gain

cdef struct Buffers

ctypedef int (*evaluate_t)(
    const Search* search, Buffers* buffers, Candidate* candidate, Workspace* work, bint* is_split
) noexcept nogil
ctypedef int (*hand_on_t)(
    const Search* search, Buffers* buffers, Candidate* candidate, Workspace* work
) noexcept nogil

# Rewrites a node for growth in another form, on a search and on buffers of its own.
ctypedef int (*enter_t)(
    const Search* search, const Buffers* buffers, const Node* node, Workspace* work,
    Search* local, Buffers* local_buffers, Node* root,
) noexcept nogil

# The two buffers between which samples and entries go back and forth, level by level, and how a
# node is split by them.
cdef struct Buffers:
    int32_t* samples[2]     # NULL where they are not kept
    void* lists[3]          # the third is for the root where its lists are to stay as they are
    void* table             # histogram mode: its BinTable
    void* owned             # what those lists lie in, to be freed with them; else NULL
    int n_threads           # that may share one node
    Workspace* workspaces   # of those threads
    int32_t most_entered    # nodes of at most so many samples go on in another form,
    int32_t most_changed    # and of at most so many if they ask for it; of more: the whole tree
    enter_t enter
    evaluate_t evaluate
    hand_on_t hand_on

cdef void release_node(Node* node) noexcept nogil

cdef inline void start_without_children(Candidate* candidate) noexcept nogil:
    """Let the children of a node own nothing that release_node would free."""
    cdef Node* left = &candidate.left
    cdef Node* right = &candidate.right
    left.stats = right.stats = NULL
    left.segments = right.segments = NULL
    left.histogram = right.histogram = NULL


cdef double node_value(
    const Search* search, const Node* node, int32_t output, const int32_t* samples,
    Workspace* work,
) noexcept nogil
cdef void describe(
    const Search* search, Node* node, const int32_t* samples, Workspace* work
) noexcept nogil
cdef int open_children(const Search* search, Candidate* candidate) noexcept nogil
cdef void weigh_up(
    const Search* search, Candidate* candidate, const int32_t* divided, Workspace* work,
    bint* is_split,
) noexcept nogil
cdef int evaluate(
    const Search* search, Buffers* buffers, Candidate* candidate, Workspace* work, bint* is_split
) noexcept nogil
cdef int hand_on(
    const Search* search, Buffers* buffers, Candidate* candidate, Workspace* work
) noexcept nogil


cdef inline void go_on_lists(Buffers* buffers) noexcept nogil:
    """Let nodes be split by lists from here on."""
    buffers.enter = NULL
    buffers.evaluate = evaluate
    buffers.hand_on = hand_on
