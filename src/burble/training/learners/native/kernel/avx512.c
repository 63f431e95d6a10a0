/* x86-64 with AVX-512: from Skylake-X and Zen 4 on. */
#include "kernel.h"
#ifdef BURBLE_X86
#include <immintrin.h>

#define FEATURES "avx512f,avx512bw,avx512dq,avx512vl,fma"
#ifdef __clang__ /* it ignores the whole attribute if it does not know one word of it */
#define TARGET __attribute__((target(FEATURES)))
#else
#define TARGET __attribute__((target(FEATURES ",prefer-vector-width=512")))
#endif
typedef __m512 vec;
#define WIDTH 16
#define load _mm512_loadu_ps
#define store _mm512_storeu_ps
#define fill _mm512_set1_ps
#define multiply_add(sum, a, b) _mm512_fmadd_ps(a, b, sum)
#define FORWARD_TILE 12
#define FORWARD_CASES CASES_TO_12
/* 24 sums and 2 vectors of weights: 26 of 32 registers. */
#define BACKWARD_TILE 12
#define BACKWARD_CASES CASES_TO_12
#define SIDE 2
#define WIDE 2
#include "elementwise.h"
#include "products.h"
#include "probe.h"
#include "transpose_x86.h"

#include "transpose.h"

static int is_available(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

const learner_kernel avx512_learner = {.name = "avx512", ELEMENTWISE, PRODUCTS};
#endif
