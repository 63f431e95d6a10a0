/* The loop around `tile`, for kernels that share loads of weights between rows. Define TARGET,
 * WIDTH, TILE and tile() before including this file. tile() is called with a constant number of
 * rows. */

TARGET static void multiply(const matrix *m, const int8_t *inputs, int64_t input_stride,
                            int64_t rows, int32_t *sums, int64_t sum_stride) {
    for (int32_t first = 0; first < m->padded_outputs; first += WIDTH) {
        product p = {inputs, input_stride, sums + first, sum_stride};
        int64_t left = rows;
        for (; left >= TILE; left -= TILE) {
            tile(TILE, m, first, p);
            p.inputs += TILE * input_stride;
            p.sums += TILE * sum_stride;
        }
        for (; left >= 2; left -= 2) {
            tile(2, m, first, p);
            p.inputs += 2 * input_stride;
            p.sums += 2 * sum_stride;
        }
        if (left) tile(1, m, first, p);
    }
}
