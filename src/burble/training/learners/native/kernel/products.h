/* Matrix products in tiles that stay in registers. Each output is one chain of fused multiply-adds.
 *
 * Define before including this file: TARGET, vec, WIDTH (floats in a vec), load, store, fill and
 * multiply_add(sum, a, b); FORWARD_TILE and BACKWARD_TILE (rows of a tile) with FORWARD_CASES and
 * BACKWARD_CASES; SIDE (groups side by side in a forward tile, if there are enough); WIDE (vectors
 * side by side in a backward tile, if there are enough columns).
 */
#include "kernel.h"

#ifdef __GNUC__
#define PREFETCH(place) __builtin_prefetch(place)
#else
#define PREFETCH(place) ((void)0)
#endif

#define NARROW (GROUP / WIDTH)
#define SIDE_VECS (SIDE * NARROW)
#define MOST_VECS (SIDE_VECS > WIDE ? SIDE_VECS : WIDE)
#if SIDE > 1 && NARROW > 1
#error "SIDE must be 1 if a group is several vectors wide."
#endif

/* The factors of a sum. across: distance to the next number or vector in the tile. next: distance
 * to the next term of the sum. ahead: distance to what is read soon, or 0. */
typedef struct {
    const float *values;
    int64_t across, next, ahead;
} factor;

/* sums[r][v] += Σ a[r] · b[v] over `count` */
TARGET INLINE void chain(const int rows, const int vecs, int64_t count, factor a, factor b,
                         vec sums[][MOST_VECS]) {
    const float *x = a.values, *y = b.values;
    for (int64_t k = 0; k < count; k++, x += a.next, y += b.next) {
        vec right[MOST_VECS];
        for (int v = 0; b.ahead && v < vecs; v += NARROW) PREFETCH(y + b.ahead + v * WIDTH);
        if (a.ahead && k % GROUP == 0)
            for (int r = 0; r < rows; r++) PREFETCH(x + r * a.across + a.ahead);
        for (int v = 0; v < vecs; v++) right[v] = load(y + v * b.across);
        for (int r = 0; r < rows; r++) {
            vec left = fill(x[r * a.across]);
            for (int v = 0; v < vecs; v++) sums[r][v] = multiply_add(sums[r][v], left, right[v]);
        }
    }
}

/* The place of a tile's sums, with the distances to the next row and the next vector. */
typedef struct {
    float *values;
    int64_t row, vector;
} sums_place;

TARGET INLINE void read_sums(const int rows, const int vecs, sums_place from,
                             vec sums[][MOST_VECS]) {
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vecs; v++)
            sums[r][v] = load(from.values + r * from.row + v * from.vector);
}

TARGET INLINE void fill_sums(const int rows, const int vecs, const float *starts,
                             vec sums[][MOST_VECS]) {
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vecs; v++) sums[r][v] = fill(starts ? starts[r] : 0.0f);
}

TARGET INLINE void write_sums(const int rows, const int vecs, vec sums[][MOST_VECS],
                              sums_place to) {
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vecs; v++) store(to.values + r * to.row + v * to.vector, sums[r][v]);
}

/* Tiles are compiled separately for each number of rows, so that their sums are in registers. */
#define CASE(n, call)      \
    case n: {              \
        enum { ROWS = n }; \
        call;              \
    } break;
#define CASES_TO_1(call) CASE(1, call)
#define CASES_TO_6(call) \
    CASE(1, call) CASE(2, call) CASE(3, call) CASE(4, call) CASE(5, call) CASE(6, call)
#define CASES_TO_12(call) \
    CASES_TO_6(call)      \
    CASE(7, call) CASE(8, call) CASE(9, call) CASE(10, call) CASE(11, call) CASE(12, call)

/* Return the rows of the tile at `first`, so that tiles are about equal and have at most `most`. */
INLINE int64_t tile_rows(int64_t first, int64_t size, int64_t most) {
    int64_t left = size - first, tiles = (left + most - 1) / most;
    return left / tiles;
}

INLINE view part(view whole, int64_t row, int64_t column) {
    view found = {whole.values + row * whole.stride + column, whole.stride};
    return found;
}

TARGET INLINE void forward_tile(const int rows, const int side, const term *over, const float *bias,
                                int64_t first, int64_t group, row_groups out) {
    vec sums[FORWARD_TILE][MOST_VECS];
    const int vecs = side * NARROW;
    sums_place to = {out.values + group * out.next + first * GROUP, GROUP,
                     SIDE > 1 ? out.next : WIDTH};
    if (bias)
        fill_sums(rows, vecs, bias + first, sums);
    else
        read_sums(rows, vecs, to, sums);
    view weights = part(over->weights.at, first, 0);
    /* Prefetch the next tile's weights. */
    factor a = {weights.values, weights.stride, 1, rows * weights.stride};
    factor b = {over->values + group * over->next, SIDE > 1 ? over->next : WIDTH, GROUP, 0};
    chain(rows, vecs, over->weights.inputs, a, b, sums);
    write_sums(rows, vecs, sums, to);
}

/* The weights of a tile stay in the first cache while it is applied to all groups. */
TARGET static void forward(const term *over, const float *bias, row_groups out) {
    int64_t outputs = over->weights.outputs;
    for (int64_t first = 0, rows; first < outputs; first += rows) {
        int64_t group = 0;
        rows = tile_rows(first, outputs, FORWARD_TILE);
        for (; group + SIDE <= out.count; group += SIDE) switch (rows) {
                FORWARD_CASES(forward_tile(ROWS, SIDE, over, bias, first, group, out))
            }
        for (; group < out.count; group++) switch (rows) {
                FORWARD_CASES(forward_tile(ROWS, 1, over, bias, first, group, out))
            }
    }
}

/* How many terms of the sums form a block: outputs, or rows of all times. They are so few that what
 * is read repeatedly stays in the first cache. */
#define BLOCK 128

TARGET INLINE void backward_tile(const int rows, const int vecs, const matrix *weights,
                                 const float *d, view out, int32_t adds) {
    vec sums[BACKWARD_TILE][MOST_VECS];
    sums_place to = {out.values, out.stride, WIDTH};
    if (adds)
        read_sums(rows, vecs, to, sums);
    else
        fill_sums(rows, vecs, NULL, sums);
    factor a = {d, 1, GROUP, 0};
    /* Prefetch the weights of the next columns: their rows are too far apart for the hardware. */
    factor b = {weights->at.values, WIDTH, weights->at.stride, vecs * WIDTH};
    chain(rows, vecs, weights->outputs, a, b, sums);
    write_sums(rows, vecs, sums, to);
}

TARGET INLINE void backward_columns(const int vecs, const matrix *weights, const lanes *d, view out,
                                    int32_t adds) {
    const float *group = d->values;
    for (int64_t time = 0; time < d->times; time++)
        for (int64_t row = 0, rows; row < d->rows; row += rows, group += d->next) {
            rows = d->rows - row < GROUP ? d->rows - row : GROUP;
            view to = part(out, time * d->rows + row, 0);
            for (int64_t first = 0, some; first < rows; first += some) {
                some = tile_rows(first, rows, BACKWARD_TILE);
                switch (some) {
                    BACKWARD_CASES(
                        backward_tile(ROWS, vecs, weights, group + first, part(to, first, 0), adds))
                }
            }
        }
}

TARGET static void backward(const matrix *weights, const lanes *d, view out, int32_t adds) {
    int64_t columns = (weights->inputs + GROUP - 1) / GROUP * GROUP;
    for (int64_t n = 0; n < weights->outputs; n += BLOCK, adds = 1) {
        matrix block = *weights;
        block.outputs = weights->outputs - n < BLOCK ? weights->outputs - n : BLOCK;
        lanes from = *d;
        from.values += n * GROUP;
        int64_t c = 0;
        for (; c + WIDE * WIDTH <= columns; c += WIDE * WIDTH) {
            block.at = part(weights->at, n, c);
            backward_columns(WIDE, &block, &from, part(out, 0, c), adds);
        }
        for (; c < columns; c += GROUP) {
            block.at = part(weights->at, n, c);
            backward_columns(NARROW, &block, &from, part(out, 0, c), adds);
        }
    }
}

TARGET INLINE void outer_tile(const int rows, const int vecs, view gradients, const lanes *d,
                              view x, int32_t adds) {
    vec sums[BACKWARD_TILE][MOST_VECS];
    sums_place to = {gradients.values, gradients.stride, WIDTH};
    if (adds)
        read_sums(rows, vecs, to, sums);
    else
        fill_sums(rows, vecs, NULL, sums);
    factor a = {d->values, GROUP, 1, 0}, b = {x.values, WIDTH, x.stride, 0};
    for (int64_t time = 0; time < d->times; time++)
        for (int64_t row = 0; row < d->rows; row += GROUP) {
            int64_t count = d->rows - row < GROUP ? d->rows - row : GROUP;
            chain(rows, vecs, count, a, b, sums);
            a.values += d->next;
            b.values += count * x.stride;
        }
    write_sums(rows, vecs, sums, to);
}

TARGET INLINE void outer_columns(const int vecs, const matrix *gradients, const lanes *d, view x,
                                 int32_t adds) {
    for (int64_t first = 0, some; first < gradients->outputs; first += some) {
        some = tile_rows(first, gradients->outputs, BACKWARD_TILE);
        lanes from = *d;
        from.values += first * GROUP;
        view to = part(gradients->at, first, 0);
        switch (some) { BACKWARD_CASES(outer_tile(ROWS, vecs, to, &from, x, adds)) }
    }
}

/* For this many outputs, d stays in the second cache while all columns of x are read. */
#define OUTPUTS 96

TARGET static void outer(const matrix *gradients, const lanes *d, view x, int32_t adds) {
    int64_t columns = (gradients->inputs + GROUP - 1) / GROUP * GROUP;
    int64_t groups = (d->rows + GROUP - 1) / GROUP;
    int64_t times = d->rows < BLOCK ? BLOCK / d->rows : 1;
    for (int64_t t = 0; t < d->times; t += times, adds = 1)
        for (int64_t n = 0; n < gradients->outputs; n += OUTPUTS) {
            matrix block = *gradients;
            block.outputs = gradients->outputs - n < OUTPUTS ? gradients->outputs - n : OUTPUTS;
            lanes from = *d;
            from.values += t * groups * d->next + n * GROUP;
            from.times = d->times - t < times ? d->times - t : times;
            int64_t c = 0;
            for (; c + WIDE * WIDTH <= columns; c += WIDE * WIDTH) {
                block.at = part(gradients->at, n, c);
                outer_columns(WIDE, &block, &from, part(x, t * d->rows, c), adds);
            }
            for (; c < columns; c += GROUP) {
                block.at = part(gradients->at, n, c);
                outer_columns(NARROW, &block, &from, part(x, t * d->rows, c), adds);
            }
        }
}
