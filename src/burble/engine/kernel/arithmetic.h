/* tanh, sigmoid and exp, as in arithmetic.py: the same operations in the same order. */
#ifndef BURBLE_ARITHMETIC_H
#define BURBLE_ARITHMETIC_H

#include <stdint.h>
#include <string.h>

#define TANH_BOUND 9.02f
#define EXP_BOUND (-60.0f)
#define LOG2_E 1.44269504f
#define WEIGHT_BITS 30
/* Adding and subtracting 1.5 · 2²³ rounds to an integer, half to even, for |x| < 2²². */
#define ROUNDER 12582912.0f

static inline float clamp(float x, float low, float high) {
    x = x < low ? low : x;
    return x > high ? high : x;
}

static inline float round_even(float x) { return (x + ROUNDER) - ROUNDER; }

static inline float burble_tanh(float x) {
    x = clamp(x, -TANH_BOUND, TANH_BOUND);
    float square = x * x;
    float p = square * 1.3318973480e-08f + 2.0583409423e-05f;
    p = p * square + 0.0034940300975f;
    p = p * square + 0.13379713893f;
    p = p * square + 1.0f;
    float q = square * 7.7619785e-07f + 3.2830855343e-04f;
    q = q * square + 0.025871057063f;
    q = q * square + 0.46713030338f;
    q = q * square + 1.0f;
    return clamp((x * p) / q, -1.0f, 1.0f);
}

static inline float sigmoid(float x) { return burble_tanh(x * 0.5f) * 0.5f + 0.5f; }

/* Return exp(x) / 2ʷʰᵒˡᵉ, where whole is the integer nearest to x / log 2. */
static inline float exp_fraction(float x, float whole) {
    float rest = (x - whole * 0.693359375f) - whole * -2.12194440e-4f;
    float e = rest * 0.0013814320555f + 0.0083688506857f;
    e = e * rest + 0.041668400168f;
    e = e * rest + 0.16666519642f;
    e = e * rest + 0.49999994040f;
    return ((e * rest) * rest + rest) + 1.0f;
}

/* Return exp(x) · 2³⁰ truncated to an integer, for x ≤ 0. */
static inline int32_t scaled_exp(float x) {
    x = x > EXP_BOUND ? x : EXP_BOUND;
    float whole = round_even(x * LOG2_E), fraction = exp_fraction(x, whole);
    int32_t bits = ((int32_t)whole + WEIGHT_BITS + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return (int32_t)(fraction * power);
}

#endif
