/* The peak speed of a kernel's multiply-adds: sums that need nothing but registers. */
#include "kernel.h"

#ifdef __GNUC__
#define OPAQUE(x) __asm__ volatile("" : "+m"(x))
#else
#define OPAQUE(x) ((void)(x))
#endif

TARGET static float probe(int64_t times) {
    enum { CHAINS = 8 };
    float start = 0.5f, numbers[GROUP];
    OPAQUE(start); /* so that the compiler cannot compute the products */
    vec sums[CHAINS], shrink = fill(start), add = fill(start);
    for (int i = 0; i < CHAINS; i++) sums[i] = fill(start);
    for (int64_t turn = 0; turn < times * PROBE / CHAINS; turn++)
        for (int i = 0; i < CHAINS; i++) sums[i] = multiply_add(add, sums[i], shrink);
    float seen = 0.0f;
    for (int i = 0; i < CHAINS; i++) {
        store(numbers, sums[i]);
        seen += numbers[0];
    }
    return seen;
}
