/* What differs from one instruction set to the next. */
#ifndef BURBLE_KERNEL_H
#define BURBLE_KERNEL_H

#include <stddef.h>

#include "burble.h"

/* A loop over a constant number of rows keeps its sums in registers, if it is compiled as one. */
#ifdef __GNUC__
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

#define PAD_INPUTS 8 /* packed inputs are a multiple of this; what is added is zero */

/* int8 weights, packed as [outputs / width][inputs / 4][width][4]: a kernel reads them in one go,
 * four inputs of `width` outputs at a time. */
typedef struct {
    int32_t outputs, inputs;
    int32_t padded_outputs, padded_inputs;
    int8_t *weights;
    int32_t *start; /* what each sum starts at, (padded_outputs,) */
    float *scales;  /* (outputs,) */
    float *bias;    /* (outputs,); NULL where there is none */
} matrix;

/* What a tile of a product reads and writes, row by row. */
typedef struct {
    const int8_t *inputs;
    int64_t input_stride;
    int32_t *sums;
    int64_t sum_stride;
} product;

/* The gate algebra of one step; state is (states of the cell, hidden), changed in place, and
 * the first of them is the output. */
typedef void (*cell_step)(const float *from_input, const float *from_state, float *state,
                          int64_t hidden);

typedef struct {
    const char *name;
    cell_step step;
} cell_kind;

typedef struct {
    const char *name;
    int32_t width;
    /* What is added to each input before it is stored, so that it becomes unsigned: 0 or 128. */
    int32_t shift;
    int (*is_available)(void);

    /* sums[row][output] = start[output] + Σ weights · inputs[row], for `rows` rows. */
    void (*multiply)(const matrix *m, const int8_t *inputs, int64_t input_stride, int64_t rows,
                     int32_t *sums, int64_t sum_stride);

    /* Whole numbers in ±127, shifted, and the worth of one of them. */
    float (*quantize)(const float *x, int64_t size, int8_t *integers);
    /* out = sums · (scales · scale) [+ bias] */
    void (*dequantize)(const int32_t *sums, const float *scales, float scale, const float *bias,
                       int64_t size, float *out);
    const cell_kind *cells; /* behind the last is one without a name */
    /* sum += x */
    void (*accumulate)(const float *x, int64_t size, float *sum);
    /* exp((scores - their largest) / temperature) · 2³⁰ in whole numbers; returns their sum. */
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
