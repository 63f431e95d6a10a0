/* `kernel`: the functions that each instruction set implements. */
#ifndef BURBLE_KERNEL_H
#define BURBLE_KERNEL_H

#include <stddef.h>

#include "burble.h"

/* Inlining makes the number of rows a constant, so that the sums of a loop stay in registers. */
#ifdef __GNUC__
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

#define PAD_INPUTS 8 /* packed inputs are padded with zeros to a multiple of this */

/* int8 weights, packed as [outputs / width][inputs / 4][width][4]: a kernel reads them in order,
 * four inputs of `width` outputs at a time. */
typedef struct {
    int32_t outputs, inputs;
    int32_t padded_outputs, padded_inputs;
    int8_t *weights;
    int32_t *start; /* the initial value of each sum, (padded_outputs,) */
    float *scales;  /* (outputs,) */
    float *bias;    /* (outputs,), or NULL */
} matrix;

/* The inputs and outputs of a tile of a product, row by row. */
typedef struct {
    const int8_t *inputs;
    int64_t input_stride;
    int32_t *sums;
    int64_t sum_stride;
} product;

/* One step of a cell. state: (states of the cell, hidden), updated in place; the first state is the
 * output. */
typedef void (*cell_step)(const float *from_input, const float *from_state, float *state,
                          int64_t hidden);

typedef struct {
    const char *name;
    cell_step step;
} cell_kind;

typedef struct {
    const char *name;
    int32_t width;
    /* Added to each stored input: 0, or 128 to make it unsigned. */
    int32_t shift;
    int (*is_available)(void);

    /* sums[row][output] = start[output] + Σ weights · inputs[row], for `rows` rows. */
    void (*multiply)(const matrix *m, const int8_t *inputs, int64_t input_stride, int64_t rows,
                     int32_t *sums, int64_t sum_stride);

    /* Round x to shifted integers in ±127, and return their scale. */
    float (*quantize)(const float *x, int64_t size, int8_t *integers);
    /* out = sums · (scales · scale) [+ bias] */
    void (*dequantize)(const int32_t *sums, const float *scales, float scale, const float *bias,
                       int64_t size, float *out);
    const cell_kind *cells; /* ends with one whose name is NULL */
    /* sum += x */
    void (*accumulate)(const float *x, int64_t size, float *sum);
    /* weights = exp((scores - the largest) / temperature) · 2³⁰, as integers; returns their sum. */
    int64_t (*weigh)(const float *scores, int64_t size, float temperature, int32_t *weights);

    /* See burble.h. */
    int64_t (*probe_memory)(const int64_t *words, int64_t size, int64_t times);
    int64_t (*probe_products)(int64_t times);
} kernel;

extern const kernel portable_kernel;
#if defined(__x86_64__) && defined(__GNUC__)
#define BURBLE_X86 1
extern const kernel avx2_kernel, avx512_kernel;
#endif
#if defined(__aarch64__) && defined(__GNUC__)
#define BURBLE_ARM 1
extern const kernel neon_kernel, dotprod_kernel;
#endif

#endif
