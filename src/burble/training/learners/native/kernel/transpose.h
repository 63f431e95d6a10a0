/* Transpose (rows, columns) into (columns, rows), square by square. Define TARGET and SQUARE before
 * including this file, and transpose_square() unless SQUARE is 1. */
#include <string.h>

#include "kernel.h"

#if SQUARE == 1
static void transpose_square(view from, view to) { to.values[0] = from.values[0]; }
#endif

/* Transpose `rows` by `columns` numbers. */
TARGET static void transpose(view from, int64_t rows, int64_t columns, view to) {
    int64_t whole_rows = rows / SQUARE * SQUARE, whole_columns = columns / SQUARE * SQUARE;
    for (int64_t c = 0; c < whole_columns; c += SQUARE)
        for (int64_t r = 0; r < whole_rows; r += SQUARE) {
            view source = {from.values + r * from.stride + c, from.stride};
            view target = {to.values + c * to.stride + r, to.stride};
            transpose_square(source, target);
        }
    for (int64_t c = 0; c < columns; c++)
        for (int64_t r = c < whole_columns ? whole_rows : 0; r < rows; r++)
            to.values[c * to.stride + r] = from.values[r * from.stride + c];
}

TARGET static void to_group(view rows, int64_t count, int64_t features, float *group) {
    view to = {group, GROUP};
    if (count < GROUP) memset(group, 0, (size_t)features * GROUP * sizeof *group);
    transpose(rows, count, features, to);
}

TARGET static void to_rows(const float *group, int64_t count, int64_t features, view rows) {
    view from = {(float *)group, GROUP};
    transpose(from, features, count, rows);
}
