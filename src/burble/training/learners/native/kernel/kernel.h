/* The interface of a kernel: the part of the learner that depends on the instruction set. */
#ifndef BURBLE_LEARNER_KERNEL_H
#define BURBLE_LEARNER_KERNEL_H

#include <stddef.h>
#include <stdint.h>

/* This many rows of a batch are stored side by side as a group: (features, GROUP) floats. Unused
 * rows of a group are zero where they enter a sum. Elsewhere their values are never read. */
#define GROUP 16

#ifdef __GNUC__
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

/* Rows of floats, `stride` apart. */
typedef struct {
    float *values;
    int64_t stride;
} view;

/* Weights or gradients, or some of their rows or columns. */
typedef struct {
    view at;
    int64_t outputs, inputs;
} matrix;

/* Weights, and the groups of inputs that they are multiplied with. */
typedef struct {
    matrix weights;
    const float *values; /* of the first group, (inputs, GROUP) */
    int64_t next;        /* floats from one group to the next */
} term;

/* Groups that are computed together, so that weights are read only once for all of them. */
typedef struct {
    float *values; /* of the first, (outputs, GROUP) */
    int64_t next, count;
} row_groups;
/* Enough groups to be worth it, and few enough that their data stays in the second cache. */
#define TOGETHER 4

/* The groups of several times, one after the other. */
typedef struct {
    const float *values; /* of the first group, (features, GROUP) */
    int64_t next;        /* floats from one group to the next */
    int64_t times, rows; /* rows of the batch; the last group of a time can be partly used */
} lanes;

/* The values of a cell at one time, for some units of one group: (units, GROUP) each. */
typedef struct {
    float *gates[4]; /* sums; after the forward pass activations; after the backward pass gradients
                        of the sums */
    float *apart;    /* GRU: the last gate's sum over the state, then its gradient */
    const float *before[2]; /* states */
    float *after[2];
    float *squashed; /* LSTM: tanh of the cell, kept for the backward pass */
    /* For the backward pass: */
    const float *gradient; /* of the output, without `carry` */
    float *carry;          /* gradient passed back in time, without the part through the weights */
    float *bias[4];        /* sums of the gradients over time */
    int64_t size;          /* units · GROUP */
} moment;

typedef struct {
    const char *name;
    int32_t gates, states;
    int32_t apart; /* 1 if the last gate keeps its sum over the state separate */
    void (*forward)(const moment *now);
    void (*backward)(const moment *now);
} cell_rule;

/* AdamW and averaging, in float32. */
typedef struct {
    float scale;              /* of the gradient */
    float keep;               /* 1 - rate · weight decay */
    float rate, beta1, beta2; /* rate: divided by the correction of the first moment */
    float rest1, rest2;       /* 1 - beta */
    float root_correction, epsilon;
    float share; /* of the weights in their average */
} adam_rule;

typedef struct {
    float *weights, *averages, *means, *squares;
    const float *gradients;
} adam_arrays;

typedef struct {
    const char *name;
    int32_t width; /* floats in a vector */
    int (*is_available)(void);
    const cell_rule *cells; /* the last one has no name and marks the end */

    /* For each group: out = bias + Σ weights · group. Without a bias, sums start from `out`. */
    void (*forward)(const term *over, const float *bias, row_groups out);
    /* out, (times · rows, inputs) = Σ d · weights over the outputs. With `adds`, sums start from
     * `out`. Its rows have room for a multiple of GROUP. */
    void (*backward)(const matrix *weights, const lanes *d, view out, int32_t adds);
    /* gradients = Σ d · x over all rows of all times. x: (times · rows, inputs), with room for a
     * multiple of GROUP. With `adds`, sums start from `gradients`. */
    void (*outer)(const matrix *gradients, const lanes *d, view x, int32_t adds);

    /* Transpose (rows, features) into (features, GROUP) and back. Missing rows become zero. */
    void (*to_group)(view rows, int64_t count, int64_t features, float *group);
    void (*to_rows)(const float *group, int64_t count, int64_t features, view rows);

    /* Write the largest z, (vocab, GROUP), of each row to largest, (GROUP,). Replace z by
     * exp(z - largest), and write its sums to total, (GROUP,). */
    void (*exponentials)(float *z, int64_t vocab, float *largest, double *total);
    /* Multiply z, (vocab, GROUP), by factor, (GROUP,). */
    void (*scale)(float *z, int64_t vocab, const float *factor);
    void (*accumulate)(const float *x, int64_t size, float *sum);   /* sum += x */
    void (*multiply)(const float *x, int64_t size, float *product); /* product *= x */

    /* In the functions below, sizes are multiples of GROUP. */
    void (*adam)(const adam_rule *rule, const adam_arrays *at, int64_t size);
    /* Return Σ x²: GROUP interleaved chains, added half to half. */
    double (*square)(const float *x, int64_t size);
    /* Make times · PROBE vector multiply-adds, as fast as possible. */
    float (*probe)(int64_t times);
} learner_kernel;

#define PROBE 1024

extern const learner_kernel portable_learner;
#if defined(__x86_64__) && defined(__GNUC__)
#define BURBLE_X86 1
extern const learner_kernel avx2_learner, avx512_learner;
#endif
#if defined(__aarch64__) && defined(__GNUC__)
#define BURBLE_ARM 1
extern const learner_kernel neon_learner;
#endif

#endif
