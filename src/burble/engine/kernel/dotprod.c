/* 64-bit ARM with dot products: some processors from ARMv8.2 on. */
#include "kernel.h"
#ifdef BURBLE_ARM
#include <arm_neon.h>
#ifdef __linux__
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#define TARGET __attribute__((target("arch=armv8.2-a+dotprod")))
#define SHIFT 0
#include "elementwise.h"

static int is_available(void) {
#if defined(__linux__)
    return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#elif defined(__APPLE__)
    return 1; /* every 64-bit ARM processor of Apple's has them */
#else
    return 0;
#endif
}

TARGET INLINE int32x4_t add_products(int32x4_t total, int8x16_t w, int8x16_t x) {
    return vdotq_s32(total, w, x);
}

#include "neon.h"

const kernel dotprod_kernel = {.name = "dotprod", ELEMENTWISE, PRODUCTS};
#endif
