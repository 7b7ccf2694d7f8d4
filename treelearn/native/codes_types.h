/* What the kernels of codes are told: a node, a criterion, bits; and what they find: a cut. */
#ifndef TREELEARN_CODES_TYPES_H
#define TREELEARN_CODES_TYPES_H

#include <stdint.h>

/* What scores depend on, beside counts. */
typedef struct {
    int formula;
    double order;
    int is_binary;              /* two classes in the whole table */
    const double *count_terms;  /* of the criteria that are no sums of squares */
    const double *weight_terms;
} TlScoring;

/* A node: its classes are numbered among those present. */
typedef struct {
    int32_t n_samples;
    int32_t n_classes;
    const int32_t *class_counts;
    int32_t min_leaf; /* least number of samples of a side */
} TlCounts;

/* The best cut so far. Codes up to `code` go left. */
typedef struct {
    double score;
    int32_t feature; /* -1: none */
    int32_t code;
    int32_t next_code; /* the next code that is present, -1: none but the missing one */
    int32_t missing_goes_left;
    int32_t has_missing; /* the node has missing values in this feature */
} TlCut;

/* What a bit stands for. */
typedef struct {
    const uint64_t *rows; /* [sample][n_words] */
    int32_t n_words;      /* 1, 2 or 4 */
    int32_t n_bits;
    const int32_t *feature; /* of every bit */
    const int32_t *code;    /* codes up to this go left */
} TlBits;

#endif
