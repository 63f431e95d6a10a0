/* Any processor with a C compiler. */
#define TARGET
#define SHIFT 0
#include "elementwise.h"

#define WIDTH 1 /* packed weights are the plain rows */

static int is_available(void) { return 1; }

static void multiply(const matrix *m, const int8_t *inputs, int64_t input_stride, int64_t rows,
                     int32_t *sums, int64_t sum_stride) {
    const int8_t *restrict weights = m->weights;
    int64_t num_inputs = m->padded_inputs;
    for (int32_t output = 0; output < m->outputs; output++, weights += num_inputs) {
        for (int64_t row = 0; row < rows; row++) {
            const int8_t *restrict x = inputs + row * input_stride;
            int32_t total = 0;
            for (int64_t i = 0; i < num_inputs; i++) total += weights[i] * x[i];
            sums[row * sum_stride + output] = total;
        }
    }
}

static int64_t probe_products(int64_t times) {
    int8_t w[1024], x[1024];
    memset(x, 1, sizeof x);
    memset(w, 1, sizeof w);
    int64_t seen = 0;
    for (int64_t turn = 0; turn < times; turn++) {
        int32_t total = 0;
        x[turn % 1024] = (int8_t)turn;
        for (int32_t i = 0; i < 1024; i++) total += w[i] * x[i];
        seen += total;
    }
    return seen;
}

const kernel portable_kernel = {.name = "portable", ELEMENTWISE, PRODUCTS};
