/* The product of random Householder reflections: Stewart, "The efficient generation of random
 * orthogonal matrices", 1980. All reflections are applied to a column while it is in the cache. */
#include "orthogonal.h"

#include <math.h>
#include <string.h>

/* Two columns fit the registers of every processor. Without this type, compilers mix rows. */
typedef double pair __attribute__((vector_size(16), aligned(8), may_alias));
#define PAIRS 4

/* This many columns are computed side by side: 512 rows of them are 32 KB. */
#define LANES (2 * PAIRS)

/* Return where the vector of a reflection begins. Reflection `number` changes rows from it on. */
static int64_t place_of(int64_t size, int64_t number) {
    return number * size - number * (number - 1) / 2;
}

/* Turn normal numbers into the vector of a reflection, and return half of its square. */
static double make_reflection(int64_t length, double *vector) {
    double square = 0;
    for (int64_t row = 0; row < length; row++) square += vector[row] * vector[row];
    double norm = sqrt(square);
    vector[0] += vector[0] < 0 ? -norm : norm;
    double half = norm * fabs(vector[0]);
    return half > 0 ? half : INFINITY; /* zeros reflect nothing */
}

/* Apply a reflection to rows, (length, PAIRS). */
static void reflect(int64_t length, const double *vector, double half, pair *rows) {
    pair sums[PAIRS] = {{0}};
    for (int64_t row = 0; row < length; row++)
        for (int i = 0; i < PAIRS; i++) sums[i] += vector[row] * rows[row * PAIRS + i];
    for (int i = 0; i < PAIRS; i++) sums[i] /= half;
    for (int64_t row = 0; row < length; row++)
        for (int i = 0; i < PAIRS; i++) rows[row * PAIRS + i] -= vector[row] * sums[i];
}

void burble_orthogonal(int64_t size, double *normals, double *room, float *weights) {
    double *halves = room, *columns = room + size;
    for (int64_t number = 0; number < size; number++)
        halves[number] = make_reflection(size - number, normals + place_of(size, number));
    for (int64_t first = 0; first < size; first += LANES) {
        int64_t width = size - first < LANES ? size - first : LANES;
        memset(columns, 0, (size_t)(size * LANES) * sizeof *columns);
        for (int64_t i = first; i < first + width; i++)
            columns[i * LANES + i - first] = normals[place_of(size, i)] < 0 ? 1 : -1;
        /* Later reflections would change only rows that are still zero. The last is just a sign. */
        int64_t last = first + width < size ? first + width - 1 : size - 2;
        for (int64_t number = last; number >= 0; number--)
            reflect(size - number, normals + place_of(size, number), halves[number],
                    (pair *)(columns + number * LANES));
        for (int64_t row = 0; row < size; row++)
            for (int64_t lane = 0; lane < width; lane++)
                weights[row * size + first + lane] = (float)columns[row * LANES + lane];
    }
}
