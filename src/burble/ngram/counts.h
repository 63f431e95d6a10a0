/* Counts of the n-grams of a text, and modified Kneser-Ney estimates from them.
 *
 * A context is up to `order` tokens; a gram is a context and the token after it. Contexts that
 * occur twice or more are kept as a trie: the grams of one context stand side by side, sorted by
 * their tokens. A context that occurs once is a place in the text: what followed it is read there.
 * So a text needs about two grams a token, however long its contexts are.
 */
#ifndef BURBLE_COUNTS_H
#define BURBLE_COUNTS_H

#include <stdint.h>

#include "../native/interface.h"

/* Of each gram there are two counts: how many different tokens stand before it (what Kneser-Ney
 * takes below the longest context; the beginning of the text counts as a token of its own), and how
 * often it occurs (what it takes for the longest). */
enum { BURBLE_KINDS, BURBLE_TIMES, BURBLE_WAYS };

#define BURBLE_MAX_ORDER 31

typedef struct {
    uint32_t token;
    uint32_t count[BURBLE_WAYS];
    /* Of a gram that occurs once: the place of the token after it; else its number among the
     * contexts that are one token longer. */
    uint32_t next;
} burble_gram;

typedef struct {
    double rest[BURBLE_WAYS]; /* the share left to shorter contexts */
    uint32_t total[BURBLE_WAYS];
    uint32_t first, size; /* its grams */
} burble_context;

/* All contexts of one length, and their grams. */
typedef struct {
    burble_context *contexts;
    burble_gram *grams;
    int64_t num_contexts, num_grams;
    int64_t lone; /* grams whose context occurs once: each occurs once, too */
    double discounts[BURBLE_WAYS][3];
} burble_level;

typedef struct {
    const uint32_t *ids; /* not copied */
    int64_t size, vocab;
    int32_t order;
    burble_level levels[]; /* of contexts of 0, 1, … order tokens */
} burble_counts;

/* Counts of ids, (size,), all below `vocab`; size and vocab below 2³¹. order: up to
 * BURBLE_MAX_ORDER, -1 for no counts at all. NULL where there is no memory. */
BURBLE_API burble_counts *burble_count(const uint32_t *ids, int64_t size, int64_t vocab,
                                       int32_t order);
BURBLE_API void burble_free_counts(burble_counts *counts);

/* out, (ways, 4): how many grams after contexts of this length have a count of 1, 2, 3 and 4. */
BURBLE_API void burble_counts_of_counts(const burble_counts *counts, int32_t length, int64_t *out);

/* discounts, (order + 1, ways, 3): what is taken from counts of 1, of 2, and of 3 or more. */
BURBLE_API void burble_set_discounts(burble_counts *counts, const double *discounts);

/* How probable each of ids, (size,), is after those before it. every: out, (order + 2, size), has
 * in row n what contexts of up to n - 1 tokens give, row 0 without any; else it is the last row. */
BURBLE_API void burble_predict(const burble_counts *counts, const uint32_t *ids, int64_t size,
                               int32_t every, double *out);

#endif
