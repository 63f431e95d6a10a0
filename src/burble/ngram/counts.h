/* Counts of the n-grams of a text, and modified Kneser-Ney estimates from them.
 *
 * A context is up to `order` tokens. A gram is a context and the token after it. Contexts that
 * occur twice or more form a trie: the grams of one context are adjacent, sorted by token. A
 * context that occurs once is stored as a place in the text, where its next token can be read. So a
 * text needs about two grams a token, however long its contexts are.
 */
#ifndef BURBLE_COUNTS_H
#define BURBLE_COUNTS_H

#include <stdint.h>

#include "../native/interface.h"

/* Each gram has two counts. BURBLE_KINDS: how many different tokens come before it, where the
 * beginning of the text counts as a token. Kneser-Ney uses it below the longest context.
 * BURBLE_TIMES: how often the gram occurs. It is used for the longest context. */
enum { BURBLE_KINDS, BURBLE_TIMES, BURBLE_WAYS };

#define BURBLE_MAX_ORDER 31

typedef struct {
    uint32_t token;
    uint32_t count[BURBLE_WAYS];
    /* If the gram occurs once, the place of the token after it. Else its number among the contexts
     * that are one token longer. */
    uint32_t next;
} burble_gram;

typedef struct {
    double rest[BURBLE_WAYS]; /* the share left to shorter contexts */
    uint32_t total[BURBLE_WAYS];
    uint32_t first, size; /* its grams */
} burble_context;

/* The contexts of one length, and their grams. */
typedef struct {
    burble_context *contexts;
    burble_gram *grams;
    int64_t num_contexts, num_grams;
    int64_t lone; /* grams whose context occurs once, and so do they */
    double discounts[BURBLE_WAYS][3];
} burble_level;

typedef struct {
    const uint32_t *ids; /* not copied */
    int64_t size, vocab;
    int32_t order;
    burble_level levels[]; /* of contexts of 0, 1, … order tokens */
} burble_counts;

/* Count ids, (size,), all below `vocab`. size and vocab are below 2³¹. order: up to
 * BURBLE_MAX_ORDER, or -1 for no counts. Returns NULL if memory runs out. */
BURBLE_API burble_counts *burble_count(const uint32_t *ids, int64_t size, int64_t vocab,
                                       int32_t order);
BURBLE_API void burble_free_counts(burble_counts *counts);

/* Write to out, (ways, 4), how many grams with contexts of this length have counts 1, 2, 3, 4. */
BURBLE_API void burble_counts_of_counts(const burble_counts *counts, int32_t length, int64_t *out);

/* discounts, (order + 1, ways, 3): for counts of 1, of 2, and of 3 or more. */
BURBLE_API void burble_set_discounts(burble_counts *counts, const double *discounts);

/* Write the probability of each of ids, (size,), after the ids before it. With `every`, row n of
 * out, (order + 2, size), is for contexts of up to n - 1 tokens, and row 0 ignores the text.
 * Otherwise out is the last of these rows. */
BURBLE_API void burble_predict(const burble_counts *counts, const uint32_t *ids, int64_t size,
                               int32_t every, double *out);

#endif
