/* x86-64 with AVX-512 and its int8 dot products (VNNI): from Ice Lake and Zen 4 on. */
#include "kernel.h"
#ifdef BURBLE_X86
#include <immintrin.h>

#define FEATURES "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"
#ifdef __clang__ /* it ignores the whole attribute if it does not know one word of it */
#define TARGET __attribute__((target(FEATURES)))
#else
#define TARGET __attribute__((target(FEATURES ",prefer-vector-width=512")))
#endif
#define SHIFT 128 /* one side of dpbusd is unsigned */
#include "elementwise.h"

#define BLOCKS 4 /* registers of 16 outputs side by side */
#define WIDTH (16 * BLOCKS)
#define TILE 4 /* rows that share each load of weights */

static int is_available(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vnni");
}

TARGET INLINE __m512i four_inputs(const int8_t *inputs) {
    int32_t four;
    memcpy(&four, inputs, sizeof four);
    return _mm512_set1_epi32(four);
}

/* Multiply one row. Two chains of sums for each register hide the latency of an addition. */
TARGET INLINE void one_row(const int8_t *weights, const int32_t *start, int32_t num_inputs,
                           const int8_t *inputs, int32_t *sums) {
    __m512i even[BLOCKS], odd[BLOCKS];
    for (int b = 0; b < BLOCKS; b++) {
        even[b] = _mm512_loadu_si512(start + 16 * b);
        odd[b] = _mm512_setzero_si512();
    }
    for (int32_t i = 0; i < num_inputs; i += 8) {
        __m512i first = four_inputs(inputs + i), second = four_inputs(inputs + i + 4);
        for (int b = 0; b < BLOCKS; b++, weights += 64)
            even[b] = _mm512_dpbusd_epi32(even[b], first, _mm512_load_si512(weights));
        for (int b = 0; b < BLOCKS; b++, weights += 64)
            odd[b] = _mm512_dpbusd_epi32(odd[b], second, _mm512_load_si512(weights));
    }
    for (int b = 0; b < BLOCKS; b++)
        _mm512_storeu_si512(sums + 16 * b, _mm512_add_epi32(even[b], odd[b]));
}

TARGET INLINE void tile(const int rows, const matrix *m, int32_t first, product p) {
    const int8_t *weights = m->weights + (int64_t)first * m->padded_inputs;
    const int32_t *start = m->start + first;
    if (rows == 1) {
        one_row(weights, start, m->padded_inputs, p.inputs, p.sums);
        return;
    }
    __m512i total[TILE][BLOCKS];
    for (int r = 0; r < rows; r++)
        for (int b = 0; b < BLOCKS; b++) total[r][b] = _mm512_loadu_si512(start + 16 * b);
    for (int32_t i = 0; i < m->padded_inputs; i += 4, weights += 64 * BLOCKS) {
        __m512i w[BLOCKS];
        for (int b = 0; b < BLOCKS; b++) w[b] = _mm512_load_si512(weights + 64 * b);
        for (int r = 0; r < rows; r++) {
            __m512i x = four_inputs(p.inputs + r * p.input_stride + i);
            for (int b = 0; b < BLOCKS; b++)
                total[r][b] = _mm512_dpbusd_epi32(total[r][b], x, w[b]);
        }
    }
    for (int r = 0; r < rows; r++)
        for (int b = 0; b < BLOCKS; b++)
            _mm512_storeu_si512(p.sums + r * p.sum_stride + 16 * b, total[r][b]);
}

#include "multiply.h"

TARGET static int64_t probe_products(int64_t times) {
    __m512i total[16], w = _mm512_set1_epi32((int32_t)times), x = _mm512_set1_epi32(0x01020304);
    for (int b = 0; b < 16; b++) total[b] = _mm512_setzero_si512();
    for (int64_t turn = 0; turn < times; turn++) /* 16 · 64 products */
        for (int b = 0; b < 16; b++) {
            __asm__ volatile("" : "+v"(w)); /* keeps the compiler from computing in advance */
            total[b] = _mm512_dpbusd_epi32(total[b], x, w);
        }
    int64_t seen = 0;
    for (int b = 0; b < 16; b++) seen += _mm512_reduce_add_epi32(total[b]);
    return seen;
}

const kernel avx512_kernel = {.name = "avx512", ELEMENTWISE, PRODUCTS};
#endif
