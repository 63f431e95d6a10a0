/* 64-bit ARM. */
#include "kernel.h"
#ifdef BURBLE_ARM
#include <arm_neon.h>

#define TARGET
typedef float32x4_t vec;
#define WIDTH 4
#define load vld1q_f32
#define store vst1q_f32
#define fill vdupq_n_f32
#define multiply_add vfmaq_f32
/* 24 sums, 4 vectors of weights and 1 number beside them: 29 of 32 registers. */
#define FORWARD_TILE 6
#define FORWARD_CASES CASES_TO_6
#define BACKWARD_TILE 6
#define BACKWARD_CASES CASES_TO_6
#define SIDE 1
#define WIDE 4
#include "elementwise.h"
#include "products.h"
#include "probe.h"

/* Transpose 4 by 4 numbers in registers: pairs, then halves. */
#define SQUARE 4
INLINE void transpose_square(view from, view to) {
    float32x4_t row[4];
    for (int i = 0; i < 4; i++) row[i] = vld1q_f32(from.values + i * from.stride);
    float32x4x2_t first = vtrnq_f32(row[0], row[1]), second = vtrnq_f32(row[2], row[3]);
    for (int i = 0; i < 2; i++) {
        vst1q_f32(to.values + i * to.stride,
                  vcombine_f32(vget_low_f32(first.val[i]), vget_low_f32(second.val[i])));
        vst1q_f32(to.values + (i + 2) * to.stride,
                  vcombine_f32(vget_high_f32(first.val[i]), vget_high_f32(second.val[i])));
    }
}
#include "transpose.h"

static int is_available(void) { return 1; }

const learner_kernel neon_learner = {.name = "neon", ELEMENTWISE, PRODUCTS};
#endif
