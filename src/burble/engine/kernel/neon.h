/* Loops for 64-bit ARM. Define TARGET and add_products() before including this file. */
#include "kernel.h"

#define BLOCKS 4 /* registers of 4 outputs side by side */
#define WIDTH (4 * BLOCKS)
#define TILE 4 /* rows that share each load of weights */

TARGET INLINE int8x16_t four_inputs(const int8_t *inputs) {
    int32_t four;
    memcpy(&four, inputs, sizeof four);
    return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

TARGET INLINE void tile(const int rows, const matrix *m, int32_t first, product p) {
    const int8_t *weights = m->weights + (int64_t)first * m->padded_inputs;
    const int32_t *start = m->start + first;
    int32x4_t total[TILE][BLOCKS];
    for (int r = 0; r < rows; r++)
        for (int b = 0; b < BLOCKS; b++) total[r][b] = vld1q_s32(start + 4 * b);
    for (int32_t i = 0; i < m->padded_inputs; i += 4, weights += 16 * BLOCKS)
        for (int r = 0; r < rows; r++) {
            int8x16_t x = four_inputs(p.inputs + r * p.input_stride + i);
            for (int b = 0; b < BLOCKS; b++)
                total[r][b] = add_products(total[r][b], vld1q_s8(weights + 16 * b), x);
        }
    for (int r = 0; r < rows; r++)
        for (int b = 0; b < BLOCKS; b++) vst1q_s32(p.sums + r * p.sum_stride + 4 * b, total[r][b]);
}

#include "multiply.h"

TARGET static int64_t probe_products(int64_t times) {
    int32x4_t total[8];
    int8x16_t w = vdupq_n_s8((int8_t)times), x = vdupq_n_s8(3);
    for (int b = 0; b < 8; b++) total[b] = vdupq_n_s32(0);
    for (int64_t turn = 0; turn < 8 * times; turn++) /* 8 · 16 products */
        for (int b = 0; b < 8; b++) {
            __asm__ volatile("" : "+w"(w)); /* keeps the compiler from computing in advance */
            total[b] = add_products(total[b], w, x);
        }
    int64_t seen = 0;
    for (int b = 0; b < 8; b++) seen += vaddvq_s32(total[b]);
    return seen;
}
