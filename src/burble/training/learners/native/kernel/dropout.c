#include "dropout.h"

#include "../../../../native/philox.h"

/* Each block of four 64-bit words is eight numbers, the lower half of a word before its upper. */
#define NUMBERS 8

void burble_dropout(double rate, const uint64_t key[2], int64_t place, int64_t first, int64_t count,
                    float *factors) {
    uint64_t below = (uint64_t)(rate * 0x1p32);
    float kept = (float)(1.0 / (1.0 - rate));
    uint64_t words[4];
    for (int64_t i = first; i < first + count; i++) {
        if (i == first || i % NUMBERS == 0)
            philox((uint64_t)(i / NUMBERS), (uint64_t)place, key[0], key[1], words);
        uint64_t number = words[i % NUMBERS / 2] >> (i % 2 ? 32 : 0) & UINT32_MAX;
        *factors++ = number < below ? 0.0f : kept;
    }
}
