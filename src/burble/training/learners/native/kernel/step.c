/* A step, phase by phase. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#endif
#include <fenv.h>
#include <time.h>

#include "pass.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void count_time(const pass *p, int32_t thread, enum phase phase) {
    if (thread != 0 || !p->update) return;
    double at = now();
    p->learner->seconds[phase] += at - p->learner->since;
    p->learner->since = at;
}

static void run_phases(const pass *p, int32_t thread) {
    int32_t layers = p->learner->shape.num_layers;
    draw_dropout(p, thread);
    barrier(p);
    read_input(p, thread);
    barrier(p);
    count_time(p, thread, INPUT);
    for (int32_t layer = 0; layer < layers; layer++) run_layer(p, thread, layer);
    count_time(p, thread, FORWARD);
    run_head(p, thread);
    if (p->update) {
        barrier(p);
        count_time(p, thread, HEAD);
        for (int32_t layer = layers - 1; layer >= 0; layer--) learn_layer(p, thread, layer);
        learn_input(p, thread);
        barrier(p);
        count_time(p, thread, EMBEDDING);
    }
    update_weights(p, thread);
    count_time(p, thread, UPDATE);
}

/* Round to nearest and keep subnormal numbers, even if another library has changed that. */
static void run_pass(void *job, int32_t thread) {
    fenv_t before;
    fegetenv(&before);
    fesetenv(FE_DFL_ENV);
    run_phases(job, thread);
    fesetenv(&before);
}

static void run(pass *p, int32_t threads) {
    for (int64_t i = 0; i < (int64_t)p->space->time * p->space->rows; i++)
        p->num_targets += p->batch->mask[i] != 0;
    p->learner->since = now();
    pool_run(p->learner->pool, threads, run_pass, p);
}

void burble_learner_step(burble_learner *learner, burble_space *space, const burble_batch *batch,
                         const burble_update *update, int32_t threads, burble_figures *figures) {
    pass p = {learner, space, batch, update, BURBLE_WEIGHTS, figures, 0};
    run(&p, threads);
}

void burble_learner_score(burble_learner *learner, burble_space *space, const burble_batch *batch,
                          int32_t raw, int32_t threads, burble_figures *figures) {
    pass p = {learner, space, batch, NULL, raw ? BURBLE_WEIGHTS : BURBLE_AVERAGES, figures, 0};
    run(&p, threads);
}

int32_t burble_learner_seconds(const burble_learner *learner, double *seconds, int32_t room) {
    for (int32_t i = 0; i < PHASES && i < room; i++) seconds[i] = learner->seconds[i];
    return PHASES;
}

typedef struct {
    const learner_kernel *kernel;
    int64_t times;
} probe_job;

static void run_probe(void *job, int32_t thread) {
    const probe_job *probe = job;
    (void)thread;
    probe->kernel->probe(probe->times);
}

int32_t burble_learner_probe(burble_learner *learner, int64_t times, int32_t threads) {
    probe_job job = {learner->kernel, times};
    pool_run(learner->pool, threads, run_probe, &job);
    return learner->kernel->width;
}
