/* Everything in a learner except matrix products: plain loops that the compiler vectorises. Each
 * operation is rounded separately. Define TARGET before including this file. */
#include <math.h>
#include <string.h>

#include "../../../../engine/kernel/arithmetic.h"
#include "kernel.h"

/* Tells the compiler that iterations are independent: a cell reads and writes separate arrays. */
#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define INDEPENDENT _Pragma("GCC ivdep")
#else
#define INDEPENDENT
#endif

TARGET static void lstm_forward(const moment *now) {
    float *in = now->gates[0], *forget = now->gates[1];
    float *candidate = now->gates[2], *output = now->gates[3];
    const float *before = now->before[1];
    float *hidden = now->after[0], *cell = now->after[1];
    float *squashed = now->squashed;
    int64_t size = now->size;
    INDEPENDENT
    for (int64_t j = 0; j < size; j++) {
        in[j] = sigmoid(in[j]);
        forget[j] = sigmoid(forget[j]);
        candidate[j] = burble_tanh(candidate[j]);
        output[j] = sigmoid(output[j]);
        cell[j] = forget[j] * before[j] + in[j] * candidate[j];
        squashed[j] = burble_tanh(cell[j]);
        hidden[j] = output[j] * squashed[j];
    }
}

TARGET static void lstm_backward(const moment *now) {
    float *in = now->gates[0], *forget = now->gates[1];
    float *candidate = now->gates[2], *output = now->gates[3];
    float *bias0 = now->bias[0], *bias1 = now->bias[1];
    float *bias2 = now->bias[2], *bias3 = now->bias[3];
    const float *before = now->before[1], *squashed = now->squashed;
    const float *gradient = now->gradient;
    float *carry = now->carry;
    int64_t size = now->size;
    INDEPENDENT
    for (int64_t j = 0; j < size; j++) {
        float i = in[j], f = forget[j], c = candidate[j], o = output[j], s = squashed[j];
        float d_cell = carry[j] + gradient[j] * o * (1.0f - s * s);
        output[j] = gradient[j] * s * (o * (1.0f - o));
        in[j] = d_cell * c * (i * (1.0f - i));
        forget[j] = d_cell * before[j] * (f * (1.0f - f));
        candidate[j] = d_cell * i * (1.0f - c * c);
        carry[j] = d_cell * f;
        bias0[j] += in[j];
        bias1[j] += forget[j];
        bias2[j] += candidate[j];
        bias3[j] += output[j];
    }
}

TARGET static void gru_forward(const moment *now) {
    float *reset = now->gates[0], *update = now->gates[1];
    float *candidate = now->gates[2], *hidden = now->after[0];
    const float *before = now->before[0], *apart = now->apart;
    int64_t size = now->size;
    INDEPENDENT
    for (int64_t j = 0; j < size; j++) {
        reset[j] = sigmoid(reset[j]);
        update[j] = sigmoid(update[j]);
        candidate[j] = burble_tanh(candidate[j] + reset[j] * apart[j]);
        hidden[j] = candidate[j] + update[j] * (before[j] - candidate[j]);
    }
}

TARGET static void gru_backward(const moment *now) {
    float *reset = now->gates[0], *update = now->gates[1];
    float *candidate = now->gates[2], *apart = now->apart;
    float *bias0 = now->bias[0], *bias1 = now->bias[1];
    float *bias2 = now->bias[2];
    const float *before = now->before[0], *gradient = now->gradient;
    float *carry = now->carry;
    int64_t size = now->size;
    INDEPENDENT
    for (int64_t j = 0; j < size; j++) {
        float r = reset[j], u = update[j], c = candidate[j];
        float d_hidden = carry[j] + gradient[j];
        float d_candidate = d_hidden * (1.0f - u) * (1.0f - c * c);
        reset[j] = d_candidate * apart[j] * (r * (1.0f - r));
        update[j] = d_hidden * (before[j] - c) * (u * (1.0f - u));
        candidate[j] = d_candidate;
        apart[j] = d_candidate * r;
        carry[j] = d_hidden * u;
        bias0[j] += reset[j];
        bias1[j] += update[j];
        bias2[j] += d_candidate;
    }
}

TARGET static void rnn_forward(const moment *now) {
    float *hidden = now->gates[0], *after = now->after[0];
    int64_t size = now->size;
    INDEPENDENT
    for (int64_t j = 0; j < size; j++) after[j] = hidden[j] = burble_tanh(hidden[j]);
}

TARGET static void rnn_backward(const moment *now) {
    float *hidden = now->gates[0], *bias0 = now->bias[0];
    const float *gradient = now->gradient;
    int64_t size = now->size;
    INDEPENDENT
    for (int64_t j = 0; j < size; j++) {
        hidden[j] = gradient[j] * (1.0f - hidden[j] * hidden[j]);
        bias0[j] += hidden[j];
    }
}

static const cell_rule cells[] = {
    {"lstm", 4, 2, 0, lstm_forward, lstm_backward},
    {"gru", 3, 1, 1, gru_forward, gru_backward},
    {"rnn", 1, 1, 0, rnn_forward, rnn_backward},
    {NULL, 0, 0, 0, NULL, NULL},
};

/* exp(x) for x ≤ 0, constant below EXP_BOUND. NaN stays NaN, so that it shows in the loss. */
static inline float exponential(float x) {
    x = x < EXP_BOUND ? EXP_BOUND : x;
    float rounded = x * LOG2_E + ROUNDER, fraction = exp_fraction(x, rounded - ROUNDER);
    /* The lowest bits of `rounded` are those of the integer. */
    uint32_t bits;
    float power;
    memcpy(&bits, &rounded, sizeof bits);
    bits = (bits + 127) << 23;
    memcpy(&power, &bits, sizeof power);
    return fraction * power;
}

/* This many terms are added in float32 before the result is added to a sum in float64. */
#define TERMS 64

TARGET static void exponentials(float *restrict z, int64_t vocab, float *restrict largest,
                                double *restrict total) {
    for (int64_t j = 0; j < GROUP; j++) largest[j] = z[j];
    for (int64_t v = 1; v < vocab; v++)
        for (int64_t j = 0; j < GROUP; j++) {
            float x = z[v * GROUP + j];
            largest[j] = x > largest[j] ? x : largest[j];
        }
    for (int64_t j = 0; j < GROUP; j++) total[j] = 0.0;
    for (int64_t first = 0; first < vocab; first += TERMS) {
        int64_t end = vocab - first < TERMS ? vocab : first + TERMS;
        float sum[GROUP] = {0};
        for (int64_t v = first; v < end; v++)
            for (int64_t j = 0; j < GROUP; j++) {
                float e = exponential(z[v * GROUP + j] - largest[j]);
                z[v * GROUP + j] = e;
                sum[j] += e;
            }
        for (int64_t j = 0; j < GROUP; j++) total[j] += (double)sum[j];
    }
}

TARGET static void scale(float *restrict z, int64_t vocab, const float *restrict factor) {
    for (int64_t v = 0; v < vocab; v++)
        for (int64_t j = 0; j < GROUP; j++) z[v * GROUP + j] *= factor[j];
}

TARGET static void accumulate(const float *restrict x, int64_t size, float *restrict sum) {
    for (int64_t i = 0; i < size; i++) sum[i] += x[i];
}

TARGET static void multiply(const float *restrict x, int64_t size, float *restrict product) {
    for (int64_t i = 0; i < size; i++) product[i] *= x[i];
}

/* Smaller moments of Adam become zero. Otherwise they would stay subnormal: such numbers are slow,
 * and some processors flush them. */
#define SMALLEST 0x1p-100f

TARGET static void adam(const adam_rule *rule, const adam_arrays *at, int64_t size) {
    const adam_rule by = *rule;
    float *restrict weights = at->weights, *restrict averages = at->averages;
    float *restrict means = at->means, *restrict squares = at->squares;
    const float *restrict gradients = at->gradients;
    for (int64_t i = 0; i < size; i++) {
        float gradient = gradients[i] * by.scale;
        float mean = means[i] * by.beta1 + gradient * by.rest1;
        float square = squares[i] * by.beta2 + gradient * gradient * by.rest2;
        mean = fabsf(mean) < SMALLEST ? 0.0f : mean;
        square = square < SMALLEST ? 0.0f : square;
        float root = sqrtf(square) * by.root_correction + by.epsilon;
        float weight = weights[i] * by.keep - by.rate * mean / root;
        means[i] = mean;
        squares[i] = square;
        weights[i] = weight;
        averages[i] += by.share * (weight - averages[i]);
    }
}

TARGET static double square(const float *restrict x, int64_t size) {
    double chains[GROUP] = {0};
    for (int64_t i = 0; i < size; i += GROUP)
        for (int64_t j = 0; j < GROUP; j++) chains[j] += (double)x[i + j] * (double)x[i + j];
    for (int64_t half = GROUP / 2; half; half /= 2)
        for (int64_t j = 0; j < half; j++) chains[j] += chains[j + half];
    return chains[0];
}

#define ELEMENTWISE                                                                         \
    .cells = cells, .to_group = to_group, .to_rows = to_rows, .exponentials = exponentials, \
    .scale = scale, .accumulate = accumulate, .multiply = multiply, .adam = adam, .square = square
#define PRODUCTS                                                                            \
    .width = WIDTH, .is_available = is_available, .forward = forward, .backward = backward, \
    .outer = outer, .probe = probe
