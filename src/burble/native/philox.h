/* Philox4x64-10: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3". */
#ifndef BURBLE_PHILOX_H
#define BURBLE_PHILOX_H

#include <stdint.h>

/* Write the four random words of the counter (count0, count1, 0, 0). */
static inline void philox(uint64_t count0, uint64_t count1, uint64_t key0, uint64_t key1,
                          uint64_t words[4]) {
    uint64_t c0 = count0, c1 = count1, c2 = 0, c3 = 0;
    for (int round = 0; round < 10; round++) {
        unsigned __int128 low = (unsigned __int128)0xD2E7470EE14C6C93u * c0;
        unsigned __int128 high = (unsigned __int128)0xCA5A826395121157u * c2;
        c0 = (uint64_t)(high >> 64) ^ c1 ^ key0;
        c1 = (uint64_t)high;
        c2 = (uint64_t)(low >> 64) ^ c3 ^ key1;
        c3 = (uint64_t)low;
        key0 += 0x9E3779B97F4A7C15u;
        key1 += 0xBB67AE8584CAA73Bu;
    }
    words[0] = c0;
    words[1] = c1;
    words[2] = c2;
    words[3] = c3;
}

#endif
