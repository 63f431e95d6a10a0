/* 64-bit ARM: NEON, which all of them have. */
#include "kernel.h"
#ifdef BURBLE_ARM
#include <arm_neon.h>

#define TARGET
#define SHIFT 0
#include "elementwise.h"

static int is_available(void) { return 1; }

/* Two products of at most 127² fit 16 bits; then pairs of them, and pairs of those. */
INLINE int32x4_t add_products(int32x4_t total, int8x16_t w, int8x16_t x) {
    int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(w), vget_low_s8(x)));
    int32x4_t high = vpaddlq_s16(vmull_high_s8(w, x));
    return vaddq_s32(total, vpaddq_s32(low, high));
}

#include "neon.h"

const kernel neon_kernel = {.name = "neon", ELEMENTWISE, PRODUCTS};
#endif
