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
#define WIDE 4
#include "elementwise.h"
#include "products.h"
#include "probe.h"

static int is_available(void) { return 1; }

const learner_kernel neon_learner = {.name = "neon", ELEMENTWISE, PRODUCTS};
#endif
