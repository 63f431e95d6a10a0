/* x86-64 with AVX2 and fused multiply-add: from Haswell and Zen on. */
#include "kernel.h"
#ifdef BURBLE_X86
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))
typedef __m256 vec;
#define WIDTH 8
#define load _mm256_loadu_ps
#define store _mm256_storeu_ps
#define fill _mm256_set1_ps
#define multiply_add(sum, a, b) _mm256_fmadd_ps(a, b, sum)
/* 12 sums, 2 vectors of weights and 1 number beside them: 15 of 16 registers. */
#define FORWARD_TILE 6
#define FORWARD_CASES CASES_TO_6
#define BACKWARD_TILE 6
#define BACKWARD_CASES CASES_TO_6
#define SIDE 1
#define WIDE 2
#include "elementwise.h"
#include "products.h"
#include "probe.h"
#include "transpose_x86.h"

#include "transpose.h"

static int is_available(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

const learner_kernel avx2_learner = {.name = "avx2", ELEMENTWISE, PRODUCTS};
#endif
