/* x86-64 with AVX2: from Haswell and Zen on. */
#include "kernel.h"
#ifdef BURBLE_X86
#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))
#define SHIFT 0
#include "elementwise.h"

#define BLOCKS 4 /* registers of 8 outputs side by side */
#define WIDTH (8 * BLOCKS)
#define TILE 2 /* rows that share each load of weights */

static int is_available(void) { return __builtin_cpu_supports("avx2"); }

TARGET INLINE __m256i four_inputs(const int8_t *inputs) {
    int32_t four;
    memcpy(&four, inputs, sizeof four);
    return _mm256_set1_epi32(four);
}

/* One side of maddubs is unsigned, so the sign of x is moved to the weights. The sum of two
 * products of at most 127² fits 16 bits, so nothing saturates. */
TARGET INLINE __m256i add_products(__m256i total, __m256i x, __m256i magnitude, __m256i w) {
    __m256i pairs = _mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(w, x));
    return _mm256_add_epi32(total, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

TARGET INLINE void tile(const int rows, const matrix *m, int32_t first, product p) {
    const int8_t *weights = m->weights + (int64_t)first * m->padded_inputs;
    const int32_t *start = m->start + first;
    __m256i total[TILE][BLOCKS];
    for (int r = 0; r < rows; r++)
        for (int b = 0; b < BLOCKS; b++)
            total[r][b] = _mm256_loadu_si256((const __m256i *)(start + 8 * b));
    for (int32_t i = 0; i < m->padded_inputs; i += 4, weights += 32 * BLOCKS)
        for (int r = 0; r < rows; r++) {
            __m256i x = four_inputs(p.inputs + r * p.input_stride + i);
            __m256i magnitude = _mm256_abs_epi8(x);
            for (int b = 0; b < BLOCKS; b++) {
                __m256i w = _mm256_load_si256((const __m256i *)(weights + 32 * b));
                total[r][b] = add_products(total[r][b], x, magnitude, w);
            }
        }
    for (int r = 0; r < rows; r++)
        for (int b = 0; b < BLOCKS; b++)
            _mm256_storeu_si256((__m256i *)(p.sums + r * p.sum_stride + 8 * b), total[r][b]);
}

#include "multiply.h"

TARGET static int64_t probe_products(int64_t times) {
    __m256i total[8], w = _mm256_set1_epi32((int32_t)times), x = _mm256_set1_epi32(0x01020304);
    for (int b = 0; b < 8; b++) total[b] = _mm256_setzero_si256();
    for (int64_t turn = 0; turn < 4 * times; turn++) /* 8 · 32 products */
        for (int b = 0; b < 8; b++) {
            __asm__ volatile("" : "+x"(w)); /* keeps the compiler from computing in advance */
            total[b] = add_products(total[b], x, x, w);
        }
    int32_t parts[8];
    int64_t seen = 0;
    for (int b = 0; b < 8; b++) {
        _mm256_storeu_si256((__m256i *)parts, total[b]);
        for (int j = 0; j < 8; j++) seen += parts[j];
    }
    return seen;
}

const kernel avx2_kernel = {.name = "avx2", ELEMENTWISE, PRODUCTS};
#endif
