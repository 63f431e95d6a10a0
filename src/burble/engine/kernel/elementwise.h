/* Everything but the products, in plain loops. Each instruction set includes this file with its own
 * TARGET, and the compiler vectorises the loops. Every operation rounds by itself, so all of them
 * give the same bits. */

#include "arithmetic.h"
#include "kernel.h"

static inline int32_t float_bits(float x) {
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

TARGET static float quantize(const float *restrict x, int64_t size, int8_t *restrict integers) {
    /* Bit patterns order magnitudes, and the largest integer is the same in any order. */
    int32_t most = 0;
    for (int64_t i = 0; i < size; i++) {
        int32_t magnitude = float_bits(x[i]) & 0x7fffffff;
        most = magnitude > most ? magnitude : most;
    }
    float largest;
    memcpy(&largest, &most, sizeof largest);
    if (largest < 0x1p-100f) largest = 0.0f;
    float inverse = largest == 0.0f ? 0.0f : 127.0f / largest;
    for (int64_t i = 0; i < size; i++) {
        int32_t integer = (int32_t)round_even(x[i] * inverse);
        integers[i] = (int8_t)(integer + SHIFT);
    }
    return largest / 127.0f;
}

TARGET static void dequantize(const int32_t *restrict sums, const float *restrict scales,
                              float scale, const float *restrict bias, int64_t size,
                              float *restrict out) {
    if (bias) {
        for (int64_t i = 0; i < size; i++) out[i] = (float)sums[i] * (scales[i] * scale) + bias[i];
    } else {
        for (int64_t i = 0; i < size; i++) out[i] = (float)sums[i] * (scales[i] * scale);
    }
}

TARGET static void lstm(const float *restrict from_input, const float *restrict from_state,
                        float *restrict state, int64_t hidden) {
    for (int64_t j = 0; j < hidden; j++) {
        float in = sigmoid(from_input[j] + from_state[j]);
        float forget = sigmoid(from_input[hidden + j] + from_state[hidden + j]);
        float candidate = burble_tanh(from_input[2 * hidden + j] + from_state[2 * hidden + j]);
        float output = sigmoid(from_input[3 * hidden + j] + from_state[3 * hidden + j]);
        float cell = forget * state[hidden + j] + in * candidate;
        state[hidden + j] = cell;
        state[j] = output * burble_tanh(cell);
    }
}

TARGET static void gru(const float *restrict from_input, const float *restrict from_state,
                       float *restrict state, int64_t hidden) {
    for (int64_t j = 0; j < hidden; j++) {
        float reset = sigmoid(from_input[j] + from_state[j]);
        float update = sigmoid(from_input[hidden + j] + from_state[hidden + j]);
        float candidate =
            burble_tanh(from_input[2 * hidden + j] + reset * from_state[2 * hidden + j]);
        state[j] = candidate + update * (state[j] - candidate);
    }
}

TARGET static void rnn(const float *restrict from_input, const float *restrict from_state,
                       float *restrict state, int64_t hidden) {
    for (int64_t j = 0; j < hidden; j++) state[j] = burble_tanh(from_input[j] + from_state[j]);
}

static const cell_kind cells[] = {{"lstm", lstm}, {"gru", gru}, {"rnn", rnn}, {NULL, NULL}};

TARGET static void accumulate(const float *restrict x, int64_t size, float *restrict sum) {
    for (int64_t i = 0; i < size; i++) sum[i] += x[i];
}

/* Return an integer that orders as x does; -0 counts as a little less than 0. */
static inline int32_t order_of(float x) {
    int32_t bits = float_bits(x);
    return bits ^ ((bits >> 31) & 0x7fffffff);
}

TARGET static int64_t weigh(const float *restrict scores, int64_t size, float temperature,
                            int32_t *restrict weights) {
    int32_t most = INT32_MIN;
    for (int64_t i = 0; i < size; i++) {
        int32_t order = order_of(scores[i]);
        most = order > most ? order : most;
    }
    most ^= (most >> 31) & 0x7fffffff;
    float largest;
    memcpy(&largest, &most, sizeof largest);
    int64_t total = 0;
    for (int64_t i = 0; i < size; i++) {
        weights[i] = scaled_exp((scores[i] - largest) / temperature);
        total += weights[i];
    }
    return total;
}

/* Keeps the compiler from assuming that a second read returns what the first one did. */
#ifdef __GNUC__
#define KEEP_READING __asm__ volatile("" ::: "memory")
#else
#define KEEP_READING
#endif

TARGET static int64_t probe_memory(const int64_t *restrict words, int64_t size, int64_t times) {
    int64_t seen = 0;
    for (int64_t turn = 0; turn < times; turn++) {
        int64_t any[32] = {0}; /* enough that no read waits for the one before */
        for (int64_t i = 0; i + 32 <= size; i += 32)
            for (int64_t j = 0; j < 32; j++) any[j] |= words[i + j];
        for (int64_t j = 0; j < 32; j++) seen ^= any[j];
        KEEP_READING;
    }
    return seen;
}

/* The parts of a kernel: the functions above, and the products that each file defines. */
#define ELEMENTWISE                                                                 \
    .shift = SHIFT, .quantize = quantize, .dequantize = dequantize, .cells = cells, \
    .accumulate = accumulate, .weigh = weigh, .probe_memory = probe_memory
#define PRODUCTS                                                        \
    .width = WIDTH, .is_available = is_available, .multiply = multiply, \
    .probe_products = probe_products
