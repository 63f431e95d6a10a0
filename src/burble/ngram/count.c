/* Count n-grams by sorting the places of a text by longer and longer contexts. */
#include "counts.h"

#include <stdlib.h>
#include <string.h>

/* Places of tokens, sorted by the number of the context before each. */
typedef struct {
    uint32_t *place, *context;
    int64_t size;
} occurrences;

typedef struct {
    occurrences now, other; /* `other`: scratch space for sorting */
    uint32_t *seen;         /* the last gram counted after each token, and after the beginning */
    int64_t *starts;        /* of buckets, by token or by context */
    uint32_t num_seen;
    int64_t vocab;
} workspace;

static int64_t longer(int64_t a, int64_t b) { return a > b ? a : b; }

static int open_workspace(workspace *w, int64_t size, int64_t vocab) {
    size_t room = (size_t)size + 1;
    *w = (workspace){.vocab = vocab};
    w->now = (occurrences){malloc(room * 4), calloc(room, 4), size};
    w->other = (occurrences){malloc(room * 4), malloc(room * 4), 0};
    w->seen = calloc((size_t)vocab + 1, sizeof *w->seen);
    w->starts = malloc(((size_t)longer(vocab, size) + 2) * sizeof *w->starts);
    if (!w->now.place || !w->now.context || !w->other.place || !w->other.context || !w->seen ||
        !w->starts)
        return -1;
    for (int64_t i = 0; i < size; i++) w->now.place[i] = (uint32_t)i;
    return 0;
}

static void close_workspace(workspace *w) {
    free(w->now.place);
    free(w->now.context);
    free(w->other.place);
    free(w->other.context);
    free(w->seen);
    free(w->starts);
}

/* Turn the sizes of buckets into their starts. */
static void add_up(int64_t *starts, int64_t buckets) {
    int64_t sum = 0;
    for (int64_t i = 0; i < buckets; i++) {
        int64_t here = starts[i];
        starts[i] = sum;
        sum += here;
    }
}

static void move(const occurrences *from, int64_t i, occurrences *to, int64_t j) {
    to->place[j] = from->place[i];
    to->context[j] = from->context[i];
}

static void swap(workspace *w) {
    occurrences sorted = w->other;
    sorted.size = w->now.size;
    w->other = w->now;
    w->now = sorted;
}

static void sort_by_token(workspace *w, const uint32_t *ids) {
    const occurrences *now = &w->now;
    memset(w->starts, 0, (size_t)w->vocab * sizeof *w->starts);
    for (int64_t i = 0; i < now->size; i++) w->starts[ids[now->place[i]]]++;
    add_up(w->starts, w->vocab);
    for (int64_t i = 0; i < now->size; i++)
        move(now, i, &w->other, w->starts[ids[now->place[i]]]++);
    swap(w);
}

static void sort_by_context(workspace *w, int64_t num_contexts) {
    const occurrences *now = &w->now;
    memset(w->starts, 0, (size_t)num_contexts * sizeof *w->starts);
    for (int64_t i = 0; i < now->size; i++) w->starts[now->context[i]]++;
    add_up(w->starts, num_contexts);
    for (int64_t i = 0; i < now->size; i++) move(now, i, &w->other, w->starts[now->context[i]]++);
    swap(w);
}

/* Return the end of the occurrences of the gram at `first`. */
static int64_t end_of_gram(const occurrences *o, const uint32_t *ids, int64_t first) {
    int64_t last = first + 1;
    while (last < o->size && o->context[last] == o->context[first] &&
           ids[o->place[last]] == ids[o->place[first]])
        last++;
    return last;
}

/* Count the different tokens before a gram with a context of `length`. */
static uint32_t count_kinds(workspace *w, const uint32_t *ids, int64_t first, int64_t last,
                            int32_t length) {
    uint32_t kinds = 0, number = ++w->num_seen;
    for (int64_t i = first; i < last; i++) {
        int64_t begin = (int64_t)w->now.place[i] - length;
        uint32_t *seen = &w->seen[begin > 0 ? (int64_t)ids[begin - 1] : w->vocab];
        kinds += *seen != number;
        *seen = number;
    }
    return kinds;
}

static int make_room(burble_level *level, const workspace *w, const uint32_t *ids) {
    const occurrences *now = &w->now;
    level->num_contexts = now->size ? now->context[now->size - 1] + 1 : 0;
    for (int64_t i = 0; i < now->size; i = end_of_gram(now, ids, i)) level->num_grams++;
    level->grams = malloc(((size_t)level->num_grams + 1) * sizeof *level->grams);
    level->contexts = calloc((size_t)level->num_contexts + 1, sizeof *level->contexts);
    return level->grams && level->contexts ? 0 : -1;
}

static void add_to_context(burble_context *context, const burble_gram *gram, uint32_t place) {
    if (context->size++ == 0) context->first = place;
    for (int way = 0; way < BURBLE_WAYS; way++) context->total[way] += gram->count[way];
}

/* Write the grams of a level. Those that occur twice or more are the contexts of the next. */
static void write_grams(burble_counts *counts, burble_level *level, workspace *w, int32_t length) {
    const occurrences *now = &w->now;
    uint32_t place = 0, longer_contexts = 0;
    int64_t kept = 0;
    for (int64_t first = 0, last; first < now->size; first = last, place++) {
        last = end_of_gram(now, counts->ids, first);
        burble_gram *gram = &level->grams[place];
        gram->token = counts->ids[now->place[first]];
        gram->count[BURBLE_TIMES] = (uint32_t)(last - first);
        gram->count[BURBLE_KINDS] = count_kinds(w, counts->ids, first, last, length);
        add_to_context(&level->contexts[now->context[first]], gram, place);
        gram->next = last - first > 1 ? longer_contexts++ : now->place[first] + 1;
        for (int64_t i = first; last - first > 1 && i < last; i++) {
            if (now->place[i] + 1 == counts->size) continue;
            w->other.place[kept] = now->place[i] + 1;
            w->other.context[kept++] = gram->next;
        }
    }
    w->now.size = kept;
    swap(w);
}

static int count_level(burble_counts *counts, workspace *w, int32_t length) {
    burble_level *level = &counts->levels[length];
    int64_t contexts = length == 0 ? 1 : counts->levels[length - 1].num_grams;
    sort_by_token(w, counts->ids);
    sort_by_context(w, contexts);
    level->lone = longer(counts->size - length, 0) - w->now.size;
    if (make_room(level, w, counts->ids)) return -1;
    write_grams(counts, level, w, length);
    return 0;
}

burble_counts *burble_count(const uint32_t *ids, int64_t size, int64_t vocab, int32_t order) {
    size_t levels = (size_t)order + 1;
    burble_counts *counts = calloc(1, sizeof *counts + levels * sizeof *counts->levels);
    if (!counts) return NULL;
    *counts = (burble_counts){.ids = ids, .size = size, .vocab = vocab, .order = order};
    workspace w;
    int failed = open_workspace(&w, size, vocab);
    for (int32_t length = 0; !failed && length <= order; length++)
        failed = count_level(counts, &w, length);
    close_workspace(&w);
    if (!failed) return counts;
    burble_free_counts(counts);
    return NULL;
}

void burble_free_counts(burble_counts *counts) {
    if (!counts) return;
    for (int32_t length = 0; length <= counts->order; length++) {
        free(counts->levels[length].grams);
        free(counts->levels[length].contexts);
    }
    free(counts);
}

void burble_counts_of_counts(const burble_counts *counts, int32_t length, int64_t *out) {
    const burble_level *level = &counts->levels[length];
    for (int way = 0; way < BURBLE_WAYS; way++, out += 4) {
        memset(out, 0, 4 * sizeof *out);
        out[0] = level->lone;
        for (int64_t i = 0; i < level->num_grams; i++) {
            uint32_t count = level->grams[i].count[way];
            if (count <= 4) out[count - 1]++;
        }
    }
}
