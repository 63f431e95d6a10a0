/* The loop around `tile`, for kernels that share loads of weights between rows: who includes it has
 * TARGET, WIDTH and TILE defined, and tile(), which is told a constant number of rows. */

TARGET static void multiply(const matrix *m, const int8_t *inputs, int64_t input_stride,
                            int64_t rows, int32_t *sums, int64_t sum_stride) {
    const int8_t *weights = m->weights;
    for (int32_t first = 0; first < m->padded_outputs; first += WIDTH) {
        const int32_t *start = m->start + first;
        const int8_t *in = inputs;
        int32_t *out = sums + first;
        int64_t left = rows;
        for (; left >= TILE; left -= TILE, in += TILE * input_stride, out += TILE * sum_stride)
            tile(TILE, weights, start, m->padded_inputs, in, input_stride, out, sum_stride);
        for (; left >= 2; left -= 2, in += 2 * input_stride, out += 2 * sum_stride)
            tile(2, weights, start, m->padded_inputs, in, input_stride, out, sum_stride);
        if (left) tile(1, weights, start, m->padded_inputs, in, input_stride, out, sum_stride);
        weights += (int64_t)WIDTH * m->padded_inputs;
    }
}
