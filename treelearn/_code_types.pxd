"""Nodes of codes, and what one thread needs to split them."""

from ._codes cimport CodeTable, TlBits
from ._types cimport *

cdef extern from "native/codes_types.h" nogil:
    ctypedef struct TlScoring:
        int formula
        double order
        int is_binary
        const double* count_terms
        const double* weight_terms
    ctypedef struct TlCounts:
        int32_t n_samples
        int32_t n_classes
        const int32_t* class_counts
        int32_t min_leaf
    ctypedef struct TlCut:
        double score
        int32_t feature
        int32_t code
        int32_t next_code
        int32_t missing_goes_left
        int32_t has_missing

# A column in a node: its codes may be numbered anew there, in 8 bits where those suffice.
cdef struct CodeColumn:
    int32_t place               # of the stored column
    int32_t n_codes
    int32_t default_code        # a frequent one, -1: none
    bint is_wide
    bint has_missing            # the highest code stands for what is missing

# A node above the size of small ones.
cdef struct CodeNode:
    int32_t id                  # of its record
    int32_t start               # of its samples
    int32_t n_samples
    int32_t depth
    int32_t n_classes           # present
    int32_t n_columns           # that may still vary
    double impurity
    int32_t* classes            # ascending; the one block of memory of a node starts here
    int32_t* counts
    CodeColumn* columns

# Everything that stays the same while a tree grows.
cdef struct CodeSearch:
    CodeTable table
    Search common               # rules and targets, for what all growers share
    TlScoring scoring
    int level                   # of instruction sets
    int32_t* samples            # of all nodes, one after the other

# Scratch memory of one thread.
cdef struct CodeWorkspace:
    uint32_t* histogram         # all 0 between uses
    int32_t* scratch            # 8 for every class, aligned to 32 bytes
    int32_t* bit_counts         # 256 for every class
    uint8_t* present            # a bit for every code
    uint16_t* new_codes
    uint32_t* spare             # one for every sample, and 16
    uint64_t* goes_left         # a bit for every sample
    int32_t* left_counts        # per class
    double* impurity_counts
    void* block                 # what all of these lie in
    bint polls
    bint is_stopped
    const int* shared_status
    int64_t until_poll
    double last_poll
