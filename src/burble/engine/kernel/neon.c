/* 64-bit ARM: dot products where the processor has them, plain NEON where not. */
#include "kernel.h"
#ifdef BURBLE_ARM
#include <arm_neon.h>
#ifdef __linux__
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#define TARGET
#define SHIFT 0
#include "elementwise.h"

#define BLOCKS 4 /* registers of 4 outputs side by side */
#define TILE 4   /* rows that share each load of weights */
#define DOTPROD __attribute__((target("arch=armv8.2-a+dotprod")))

static int always(void) { return 1; }

static int has_dot_products(void) {
#if defined(__linux__)
    return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#elif defined(__APPLE__)
    return 1; /* every Apple processor of this kind */
#else
    return 0;
#endif
}

INLINE int8x16_t four_inputs(const int8_t *inputs) {
    int32_t four;
    memcpy(&four, inputs, sizeof four);
    return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

/* Two products of at most 127² fit 16 bits; then pairs of them, and pairs of those. */
INLINE int32x4_t add_products(int32x4_t total, int8x16_t w, int8x16_t x) {
    int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(w), vget_low_s8(x)));
    int32x4_t high = vpaddlq_s16(vmull_high_s8(w, x));
    return vaddq_s32(total, vpaddq_s32(low, high));
}

/* The loops around one way to add products, named by it. */
#define DEFINE_MULTIPLY(NAME, ATTRIBUTE, ADD)                                                      \
    ATTRIBUTE INLINE void NAME##_tile(const int rows, const int8_t *weights, const int32_t *start, \
                                      int32_t num_inputs, const int8_t *inputs,                    \
                                      int64_t input_stride, int32_t *sums, int64_t sum_stride) {   \
        int32x4_t total[TILE][BLOCKS];                                                             \
        for (int r = 0; r < rows; r++)                                                             \
            for (int b = 0; b < BLOCKS; b++) total[r][b] = vld1q_s32(start + 4 * b);               \
        for (int32_t i = 0; i < num_inputs; i += 4, weights += 16 * BLOCKS)                        \
            for (int r = 0; r < rows; r++) {                                                       \
                int8x16_t x = four_inputs(inputs + r * input_stride + i);                          \
                for (int b = 0; b < BLOCKS; b++)                                                   \
                    total[r][b] = ADD(total[r][b], vld1q_s8(weights + 16 * b), x);                 \
            }                                                                                      \
        for (int r = 0; r < rows; r++)                                                             \
            for (int b = 0; b < BLOCKS; b++)                                                       \
                vst1q_s32(sums + r * sum_stride + 4 * b, total[r][b]);                             \
    }                                                                                              \
    ATTRIBUTE static void NAME(const matrix *m, const int8_t *inputs, int64_t input_stride,        \
                               int64_t rows, int32_t *sums, int64_t sum_stride) {                  \
        const int8_t *weights = m->weights;                                                        \
        for (int32_t first = 0; first < m->padded_outputs; first += 4 * BLOCKS) {                  \
            int64_t row = 0;                                                                       \
            for (; row + TILE <= rows; row += TILE)                                                \
                NAME##_tile(TILE, weights, m->start + first, m->padded_inputs,                     \
                            inputs + row * input_stride, input_stride,                             \
                            sums + row * sum_stride + first, sum_stride);                          \
            for (; row < rows; row++)                                                              \
                NAME##_tile(1, weights, m->start + first, m->padded_inputs,                        \
                            inputs + row * input_stride, input_stride,                             \
                            sums + row * sum_stride + first, sum_stride);                          \
            weights += (int64_t)4 * BLOCKS * m->padded_inputs;                                     \
        }                                                                                          \
    }                                                                                              \
    ATTRIBUTE static int64_t NAME##_probe(int64_t times) {                                         \
        int32x4_t total[8];                                                                        \
        int8x16_t w = vdupq_n_s8((int8_t)times), x = vdupq_n_s8(3);                                \
        for (int b = 0; b < 8; b++) total[b] = vdupq_n_s32(0);                                     \
        for (int64_t turn = 0; turn < 8 * times; turn++) /* 8 · 16 products */                     \
            for (int b = 0; b < 8; b++) {                                                          \
                __asm__ volatile("" : "+w"(w)); /* so that no product is known beforehand */       \
                total[b] = ADD(total[b], w, x);                                                    \
            }                                                                                      \
        int64_t seen = 0;                                                                          \
        for (int b = 0; b < 8; b++) seen += vaddvq_s32(total[b]);                                  \
        return seen;                                                                               \
    }

DEFINE_MULTIPLY(plain, , add_products)
DEFINE_MULTIPLY(dot, DOTPROD, vdotq_s32)

const kernel neon_kernel = {.name = "neon",
                            .width = 4 * BLOCKS,
                            .is_available = always,
                            .multiply = plain,
                            .probe_products = plain_probe,
                            ELEMENTWISE};

const kernel dotprod_kernel = {.name = "dotprod",
                               .width = 4 * BLOCKS,
                               .is_available = has_dot_products,
                               .multiply = dot,
                               .probe_products = dot_probe,
                               ELEMENTWISE};
#endif
