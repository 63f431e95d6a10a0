/* 64-bit ARM with NEON, which every such processor has. */
#include "kernel.h"
#ifdef BURBLE_ARM
#include <arm_neon.h>

#define TARGET
#define SHIFT 0
#include "elementwise.h"

static int is_available(void) { return 1; }

/* A product of at most 127² fits 16 bits. Neighbouring products are added in 32 bits, then pairs of
 * those sums. */
INLINE int32x4_t add_products(int32x4_t total, int8x16_t w, int8x16_t x) {
    int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(w), vget_low_s8(x)));
    int32x4_t high = vpaddlq_s16(vmull_high_s8(w, x));
    return vaddq_s32(total, vpaddq_s32(low, high));
}

#include "neon.h"

const kernel neon_kernel = {.name = "neon", ELEMENTWISE, PRODUCTS};
#endif
