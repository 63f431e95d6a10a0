/* What programs share that replay what NumPy computed. */
#ifndef REPLAY_H
#define REPLAY_H

#include <fenv.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

/* Memory: every block is as large as what it holds and no larger, so that a sanitizer or valgrind
 * sees a step beyond its end. */

static inline void fail(const char *reason) {
    fprintf(stderr, "%s\n", reason);
    exit(2);
}

static inline void *allocate(int64_t size) {
    void *memory = malloc((size_t)size);
    if (!memory && size > 0) fail("there is no memory");
    return memory;
}

static inline void *copy_of(const void *data, int64_t size) {
    void *copy = allocate(size);
    if (size > 0) memcpy(copy, data, (size_t)size);
    return copy;
}

static inline void *read_block(FILE *file, int64_t *size) {
    if (fread(size, sizeof *size, 1, file) != 1) fail("the file ends too soon");
    void *block = allocate(*size);
    if (fread(block, 1, (size_t)*size, file) != (size_t)*size) fail("the file ends too soon");
    return block;
}

/* A block of just this size. */
static inline void *take(FILE *file, int64_t size) {
    int64_t found;
    void *block = read_block(file, &found);
    if (found != size) {
        fprintf(stderr, "a block of %" PRId64 " bytes has %" PRId64 "\n", size, found);
        exit(2);
    }
    return block;
}

static inline void take_into(FILE *file, void *to, int64_t size) {
    void *block = take(file, size);
    memcpy(to, block, (size_t)size);
    free(block);
}

/* Whoever calls the kernel may round upward and flush tiny numbers to zero: that must neither
 * change a bit nor be lost. */

static inline uint64_t float_mode(void) {
#if defined(__x86_64__)
    return _mm_getcsr() & 0xffc0u; /* without the flags of what has happened */
#elif defined(__aarch64__)
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
#else
    return (uint64_t)fegetround();
#endif
}

static inline void make_hostile(int64_t number) {
    static const int ROUNDINGS[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    fesetround(ROUNDINGS[number % 4]);
    if (number % 8 < 4) return;
#if defined(__x86_64__)
    _mm_setcsr(_mm_getcsr() | 0x8040u);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(float_mode() | 1u << 24));
#endif
}

#endif
