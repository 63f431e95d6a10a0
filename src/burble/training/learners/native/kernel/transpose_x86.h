/* Transpose 8 by 8 numbers in registers: pairs, then fours, then halves. */
#define SQUARE 8

TARGET INLINE void transpose_square(view from, view to) {
    __m256 row[8], pair[8];
    for (int i = 0; i < 8; i++) row[i] = _mm256_loadu_ps(from.values + i * from.stride);
    for (int i = 0; i < 8; i += 2) {
        pair[i] = _mm256_unpacklo_ps(row[i], row[i + 1]);
        pair[i + 1] = _mm256_unpackhi_ps(row[i], row[i + 1]);
    }
    for (int half = 0; half < 8; half += 4)
        for (int i = 0; i < 2; i++) {
            row[half + 2 * i] = _mm256_shuffle_ps(pair[half + i], pair[half + i + 2], 0x44);
            row[half + 2 * i + 1] = _mm256_shuffle_ps(pair[half + i], pair[half + i + 2], 0xEE);
        }
    for (int i = 0; i < 4; i++) {
        __m256 low = _mm256_permute2f128_ps(row[i], row[i + 4], 0x20);
        __m256 high = _mm256_permute2f128_ps(row[i], row[i + 4], 0x31);
        _mm256_storeu_ps(to.values + i * to.stride, low);
        _mm256_storeu_ps(to.values + (i + 4) * to.stride, high);
    }
}
