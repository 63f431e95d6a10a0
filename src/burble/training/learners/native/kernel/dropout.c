#include "dropout.h"

#include "../../../../native/philox.h"

/* A block of four 64-bit words is eight numbers, the lower half of each word first. */
#define NUMBERS 8

static inline float factor_of(uint64_t word, int upper, uint64_t below, float kept) {
    return (upper ? word >> 32 : word & UINT32_MAX) < below ? 0.0f : kept;
}

void burble_dropout(double rate, const uint64_t key[2], int64_t place, int64_t first, int64_t count,
                    float *factors) {
    uint64_t below = (uint64_t)(rate * 0x1p32);
    float kept = (float)(1.0 / (1.0 - rate));
    uint64_t words[4];
    int64_t i = first, end = first + count;
    while (i < end) {
        philox((uint64_t)(i / NUMBERS), (uint64_t)place, key[0], key[1], words);
        if (i % NUMBERS == 0 && i + NUMBERS <= end) {
            for (int n = 0; n < NUMBERS; n++)
                *factors++ = factor_of(words[n / 2], n % 2, below, kept);
            i += NUMBERS;
            continue;
        }
        do {
            *factors++ = factor_of(words[i % NUMBERS / 2], i % 2, below, kept);
        } while (++i < end && i % NUMBERS);
    }
}
