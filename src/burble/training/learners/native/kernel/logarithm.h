/* log(x) in float64 for normal x > 0, the same on every machine. */
#ifndef BURBLE_LOGARITHM_H
#define BURBLE_LOGARITHM_H

#include <stdint.h>
#include <string.h>

/* x = 2ⁿ · m with m in [1/√2, √2); log m = 2 · artanh s for s = (m - 1) / (m + 1), |s| < 0.1716, of
 * which the series needs ten terms for the 53 bits of a double. */
static inline double logarithm(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int64_t exponent = (int64_t)(bits >> 52) - 1023;
    bits = (bits & 0xFFFFFFFFFFFFFu) | 0x3FF0000000000000u;
    double m;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.4142135623730951) {
        m = m * 0.5;
        exponent += 1;
    }
    double s = (m - 1.0) / (m + 1.0), square = s * s, series = 1.0 / 21.0;
    for (int odd = 19; odd > 0; odd -= 2) series = series * square + 1.0 / odd;
    return (double)exponent * 0.6931471805599453 + 2.0 * s * series;
}

#endif
