/* What differs from one instruction set to the next while a network learns. */
#ifndef BURBLE_LEARNER_KERNEL_H
#define BURBLE_LEARNER_KERNEL_H

#include <stddef.h>
#include <stdint.h>

/* Rows of a batch that lie side by side: (features, GROUP) floats. A group's unused rows are zero
 * where they enter a sum, and nothing reads what becomes of them elsewhere. */
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

/* Weights or their gradients, or some rows or columns of them. */
typedef struct {
    view at;
    int64_t outputs, inputs;
} matrix;

/* Weights and the groups of inputs that they meet. */
typedef struct {
    matrix weights;
    const float *values; /* of the first group, (inputs, GROUP) */
    int64_t next;        /* floats from one group to the next */
} term;

/* Groups that are computed together, so that weights are read once for all of them. */
typedef struct {
    float *values; /* of the first, (outputs, GROUP) */
    int64_t next, count;
} row_groups;
/* As many as make it worth while, and so few that what they read and write stays in the second
 * cache. */
#define TOGETHER 4

/* Groups of several times, one after the other. */
typedef struct {
    const float *values; /* of the first group, (features, GROUP) */
    int64_t next;        /* floats from one group to the next */
    int64_t times, rows; /* rows of the batch: each time has as many groups as hold them */
} lanes;

/* What a cell computes with at one time, for some of its units of one group: (units, GROUP) each.
 */
typedef struct {
    float *gates[4]; /* sums; after the forward pass their activations; after the backward pass the
                        gradients of the sums */
    float *apart; /* of a gate whose sum over the state stands apart: that sum, then its gradient */
    const float *before[2];
    float *after[2];
    float *squashed; /* tanh of the memory, kept for the backward pass */
    /* The backward pass: */
    const float *gradient; /* of the output, without what the carry holds */
    float *carry;          /* on its way back in time beside the product with the weights */
    float *bias[4];        /* sums of the gradients over time */
    int64_t size;          /* units · GROUP */
} moment;

typedef struct {
    const char *name;
    int32_t gates, states;
    int32_t apart; /* the last gate's sum over the state stands apart */
    void (*forward)(const moment *now);
    void (*backward)(const moment *now);
} cell_rule;

/* AdamW and averaging, in float32. */
typedef struct {
    float scale;              /* of the gradient */
    float keep;               /* 1 - rate · weight decay */
    float rate, beta1, beta2; /* rate: over the first moment's correction */
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
    const cell_rule *cells; /* behind the last is one without a name */

    /* Each group of out = bias + Σ weights · group; without a bias it starts at what stands in
     * `out`. */
    void (*forward)(const term *over, const float *bias, row_groups out);
    /* out, (times · rows, inputs) = Σ d · weights, over the outputs. Where `adds` it starts at
     * what stands in `out`. Rows of `out` have room for a multiple of GROUP. */
    void (*backward)(const matrix *weights, const lanes *d, view out, int32_t adds);
    /* gradients = Σ d · x over all rows of all times; x: (times · rows, inputs), with room for a
     * multiple of GROUP. Where `adds` they start at what they are. */
    void (*outer)(const matrix *gradients, const lanes *d, view x, int32_t adds);

    /* Between (rows, features) and (features, GROUP); rows that are not there become zero. */
    void (*to_group)(view rows, int64_t count, int64_t features, float *group);
    void (*to_rows)(const float *group, int64_t count, int64_t features, view rows);

    /* z, (vocab, GROUP), becomes exp(z - largest), whose sums are `total`, (GROUP,) like
     * `largest`. */
    void (*exponentials)(float *z, int64_t vocab, float *largest, double *total);
    /* z, (vocab, GROUP), times factor, (GROUP,) */
    void (*scale)(float *z, int64_t vocab, const float *factor);
    void (*accumulate)(const float *x, int64_t size, float *sum);   /* sum += x */
    void (*multiply)(const float *x, int64_t size, float *product); /* product *= x */

    /* Sizes are multiples of GROUP. */
    void (*adam)(const adam_rule *rule, const adam_arrays *at, int64_t size);
    /* Σ x²: GROUP chains, folded half onto half. */
    double (*square)(const float *x, int64_t size);
    /* Makes times · PROBE multiply-adds of whole vectors, as fast as it can. */
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
