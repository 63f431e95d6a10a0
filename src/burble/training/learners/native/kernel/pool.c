#include "pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* Spin for about 50 µs, longer than a thread needs for its share of one time. */
#define SPINS 2000

#if defined(__x86_64__) && defined(__GNUC__)
#define PAUSE __builtin_ia32_pause()
#elif defined(__aarch64__) && defined(__GNUC__)
#define PAUSE __asm__ volatile("yield")
#else
#define PAUSE ((void)0)
#endif

/* A counter that threads can wait for. */
typedef struct {
    _Alignas(64) atomic_uint value;
    atomic_int sleepers;
} counter;

typedef struct {
    pool *p;
    int32_t number;
    counter tasks;
    pthread_t thread;
} member;

struct pool {
    counter meetings;
    _Alignas(64) atomic_int here;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    int32_t size, active;
    int is_closing;
    pid_t owner; /* a process that it forks has none of the threads */
    pool_task task;
    void *job;
    member *members; /* from 1 on: the calling thread is 0 */
};

static void wait_for_change(pool *p, counter *c, unsigned seen) {
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(&c->value, memory_order_acquire) != seen) return;
        PAUSE;
    }
    /* The thread that advances the counter checks for sleepers afterwards. A thread that goes to
     * sleep registers first and then checks the counter. So one of them notices the other. */
    atomic_fetch_add(&c->sleepers, 1);
    pthread_mutex_lock(&p->lock);
    while (atomic_load(&c->value) == seen) pthread_cond_wait(&p->woken, &p->lock);
    pthread_mutex_unlock(&p->lock);
    atomic_fetch_sub(&c->sleepers, 1);
}

static void advance(pool *p, counter *c) {
    atomic_fetch_add(&c->value, 1);
    if (atomic_load(&c->sleepers) == 0) return;
    pthread_mutex_lock(&p->lock);
    pthread_cond_broadcast(&p->woken);
    pthread_mutex_unlock(&p->lock);
}

void pool_barrier(pool *p) {
    /* Read it before this thread is counted: after that, the next task may change it. */
    int32_t active = p->active;
    if (active == 1) return;
    unsigned seen = atomic_load(&p->meetings.value);
    if (atomic_fetch_add(&p->here, 1) == active - 1) {
        atomic_store(&p->here, 0);
        advance(p, &p->meetings);
    } else {
        wait_for_change(p, &p->meetings, seen);
    }
}

static void *work(void *argument) {
    member *me = argument;
    pool *p = me->p;
    for (unsigned seen = 0;; seen++) {
        wait_for_change(p, &me->tasks, seen);
        if (p->is_closing) return NULL;
        p->task(p->job, me->number);
        pool_barrier(p);
    }
}

void pool_run(pool *p, int32_t threads, pool_task task, void *job) {
    int32_t most = p->owner == getpid() ? p->size : 1;
    p->active = threads < 1 ? 1 : threads < most ? threads : most;
    p->task = task;
    p->job = job;
    for (int32_t i = 1; i < p->active; i++) advance(p, &p->members[i].tasks);
    task(job, 0);
    pool_barrier(p);
}

int32_t pool_active(const pool *p) { return p->active; }

pool *pool_new(int32_t threads) {
    pool *p = aligned_alloc(64, (sizeof *p + 63) / 64 * 64);
    if (!p) return NULL;
    memset(p, 0, sizeof *p);
    size_t bytes = (size_t)threads * sizeof *p->members;
    p->members = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!p->members || pthread_mutex_init(&p->lock, NULL) != 0) {
        free(p->members);
        free(p);
        return NULL;
    }
    if (pthread_cond_init(&p->woken, NULL) != 0) {
        pthread_mutex_destroy(&p->lock);
        free(p->members);
        free(p);
        return NULL;
    }
    memset(p->members, 0, bytes);
    p->owner = getpid();
    for (p->size = 1; p->size < threads; p->size++) {
        member *m = &p->members[p->size];
        m->p = p;
        m->number = p->size;
        if (pthread_create(&m->thread, NULL, work, m) != 0) break;
    }
    return p;
}

void pool_free(pool *p) {
    if (!p) return;
    if (p->owner == getpid()) {
        p->is_closing = 1;
        for (int32_t i = 1; i < p->size; i++) advance(p, &p->members[i].tasks);
        for (int32_t i = 1; i < p->size; i++) pthread_join(p->members[i].thread, NULL);
        pthread_cond_destroy(&p->woken);
        pthread_mutex_destroy(&p->lock);
    }
    free(p->members);
    free(p);
}
