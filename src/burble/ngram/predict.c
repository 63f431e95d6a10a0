/* Estimates: the probability that a context leaves over is given to its shorter context. */
#include "counts.h"

#include <stddef.h>
#include <string.h>

/* A context of the text being read, as it was found in the counted text. */
typedef struct {
    enum { UNKNOWN, LONE, SHARED } kind; /* never seen, seen once, seen more often */
    uint32_t place; /* LONE: of the next token in the text. SHARED: number of the context */
} context_place;

/* What a context knows about one token: the token's counts, the context's counts, the rest. */
typedef struct {
    uint32_t count[BURBLE_WAYS], total[BURBLE_WAYS];
    double rest[BURBLE_WAYS];
} evidence;

static void set_rest(const burble_level *level, burble_context *context, int way) {
    double of[3] = {0, 0, 0};
    for (uint32_t i = context->first; i < context->first + context->size; i++) {
        uint32_t count = level->grams[i].count[way];
        of[count < 3 ? count - 1 : 2]++;
    }
    const double *d = level->discounts[way];
    context->rest[way] = (d[0] * of[0] + d[1] * of[1] + d[2] * of[2]) / context->total[way];
}

void burble_set_discounts(burble_counts *counts, const double *discounts) {
    for (int32_t length = 0; length <= counts->order; length++) {
        burble_level *level = &counts->levels[length];
        memcpy(level->discounts, discounts, sizeof level->discounts);
        discounts += sizeof level->discounts / sizeof *discounts;
        for (int64_t i = 0; i < level->num_contexts; i++)
            for (int way = 0; way < BURBLE_WAYS && level->contexts[i].size; way++)
                set_rest(level, &level->contexts[i], way);
    }
}

static const burble_gram *find_gram(const burble_level *level, const burble_context *context,
                                    uint32_t token) {
    uint32_t low = context->first, high = context->first + context->size;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (level->grams[middle].token < token)
            low = middle + 1;
        else
            high = middle;
    }
    int found = low < context->first + context->size && level->grams[low].token == token;
    return found ? &level->grams[low] : NULL;
}

static context_place look_into_shared(const burble_level *level, uint32_t place, uint32_t token,
                                      evidence *found) {
    const burble_context *context = &level->contexts[place];
    const burble_gram *gram = find_gram(level, context, token);
    memcpy(found->total, context->total, sizeof found->total);
    memcpy(found->rest, context->rest, sizeof found->rest);
    if (!gram) return (context_place){UNKNOWN, 0};
    memcpy(found->count, gram->count, sizeof found->count);
    return (context_place){gram->count[BURBLE_TIMES] > 1 ? SHARED : LONE, gram->next};
}

/* A context that was seen once has one gram, seen once. */
static context_place look_into_lone(const burble_counts *counts, const burble_level *level,
                                    uint32_t place, uint32_t token, evidence *found) {
    if (place == counts->size) return (context_place){UNKNOWN, 0};
    int is_same = counts->ids[place] == token;
    for (int way = 0; way < BURBLE_WAYS; way++) {
        found->total[way] = 1;
        found->count[way] = (uint32_t)is_same;
        found->rest[way] = level->discounts[way][0];
    }
    return (context_place){is_same ? LONE : UNKNOWN, place + 1};
}

/* Find what a context knows about a token. Returns the context that is one token longer. */
static context_place look_up(const burble_counts *counts, int32_t length, context_place context,
                             uint32_t token, evidence *found) {
    const burble_level *level = &counts->levels[length];
    *found = (evidence){{0}, {0}, {0}};
    if (context.kind == SHARED) return look_into_shared(level, context.place, token, found);
    if (context.kind == LONE) return look_into_lone(counts, level, context.place, token, found);
    return (context_place){UNKNOWN, 0};
}

static double estimate(const burble_level *level, const evidence *found, int way, double shorter) {
    uint32_t count = found->count[way];
    if (found->total[way] == 0) return shorter;
    double own = count ? count - level->discounts[way][count < 3 ? count - 1 : 2] : 0;
    return own / found->total[way] + found->rest[way] * shorter;
}

/* Return a token's probability after `contexts`, and move these on to the next token. */
static double read_token(const burble_counts *counts, context_place *contexts, uint32_t token,
                         double even, double *rows, int64_t stride) {
    double shorter = even, probability = even;
    context_place longer = {counts->size ? SHARED : UNKNOWN, 0};
    if (rows) *rows = even;
    for (int32_t length = 0; length <= counts->order; length++) {
        evidence found;
        context_place here = length ? contexts[length] : longer;
        if (length) contexts[length] = longer;
        const burble_level *level = &counts->levels[length];
        longer = look_up(counts, length, here, token, &found);
        probability = estimate(level, &found, BURBLE_TIMES, shorter);
        shorter = estimate(level, &found, BURBLE_KINDS, shorter);
        if (rows) rows[(length + 1) * stride] = probability;
    }
    return probability;
}

void burble_predict(const burble_counts *counts, const uint32_t *ids, int64_t size, int32_t every,
                    double *out) {
    context_place contexts[BURBLE_MAX_ORDER + 1];
    double even = 1.0 / (double)counts->vocab;
    memset(contexts, 0, sizeof contexts);
    for (int64_t i = 0; i < size; i++) {
        double *rows = every ? out + i : NULL;
        double probability = read_token(counts, contexts, ids[i], even, rows, size);
        if (!every) out[i] = probability;
    }
}
