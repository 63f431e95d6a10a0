/* Preloaded before the C library: counts the calls that touch the folder under test, and lets the
 * chosen one fail with the chosen error, or kills the process there. Nothing happens before
 * burble_fault_arm is called, so one process can be armed after a fork.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    OPEN = 1,
    WRITE = 2,
    FSYNC = 4,
    RENAME = 8,
    MKDIR = 16,
    UNLINK = 32,
    TRUNCATE = 64,
    READ = 128,
    STAT = 256,
    LIST = 512,
    LOCK = 1024,
    MAP = 2048,
};

#define MAX_DESCRIPTORS 65536
#define KILL (-1)

static char root[PATH_MAX];
static int kinds;
static long chosen;
static int error_number;
static int log_descriptor = -1;
static long count;
static pid_t armed_process;
static char paths[4096][64]; /* the ends of the names of open files, for the log */
static unsigned char is_watched[MAX_DESCRIPTORS];

#define REAL(name)                 \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* folder: the absolute path under which calls count. nth: the call that fails, from 1; 0 for none.
 * error: an errno, or KILL. log: a descriptor for one line a call, or -1.
 */
__attribute__((visibility("default"))) void burble_fault_arm(const char *folder, int mask, long nth,
                                                             int error, int log) {
    snprintf(root, sizeof root, "%s", folder);
    kinds = mask;
    chosen = nth;
    error_number = error;
    log_descriptor = log;
    count = 0;
    armed_process = getpid();
}

__attribute__((visibility("default"))) long burble_fault_count(void) { return count; }

/* The absolute path of `name` as seen from the folder `at`; 0 where it cannot be known. */
static int resolve(int at, const char *name, char *full) {
    char link[64];
    ssize_t length;
    if (!name) return 0;
    if (name[0] == '/') return snprintf(full, PATH_MAX, "%s", name) < PATH_MAX;
    if (at == AT_FDCWD) {
        snprintf(link, sizeof link, "/proc/self/cwd");
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", at);
    }
    length = readlink(link, full, PATH_MAX - 1);
    if (length < 0) return 0;
    return snprintf(full + length, PATH_MAX - (size_t)length, "/%s", name) < PATH_MAX - length;
}

static int is_under_root(const char *full) {
    size_t length = strlen(root);
    return length && !strncmp(full, root, length) && (full[length] == '/' || !full[length]);
}

static void write_log(const char *kind, const char *name) {
    char line[PATH_MAX + 64];
    int length;
    if (log_descriptor < 0) return;
    length = snprintf(line, sizeof line, "%ld %s %s\n", count, kind, name);
    if (length > 0) (void)!syscall(SYS_write, log_descriptor, line, (size_t)length);
}

/* Count a call; whether it is the one that must fail, errno set. */
static int strikes(int kind, const char *word, const char *name) {
    if (!(kinds & kind) || armed_process != getpid()) return 0;
    count++;
    write_log(word, name);
    if (count != chosen) return 0;
    if (error_number == KILL) kill(getpid(), SIGKILL);
    errno = error_number;
    return 1;
}

static int path_strikes(int kind, const char *word, int at, const char *name) {
    char full[PATH_MAX];
    int saved = errno;
    if (!root[0] || !resolve(at, name, full) || !is_under_root(full)) {
        errno = saved;
        return 0;
    }
    if (strikes(kind, word, full + strlen(root))) return 1;
    errno = saved;
    return 0;
}

static int is_known(int descriptor) {
    return descriptor >= 0 && descriptor < MAX_DESCRIPTORS && is_watched[descriptor];
}

static int descriptor_strikes(int kind, const char *word, int descriptor) {
    if (!root[0] || !is_known(descriptor)) return 0;
    return strikes(kind, word, descriptor < 4096 ? paths[descriptor] : "?");
}

/* Watch a file that was opened under the root. */
static int opened(int descriptor, int at, const char *name) {
    char full[PATH_MAX];
    int saved = errno;
    if (descriptor >= 0 && descriptor < MAX_DESCRIPTORS && root[0]) {
        is_watched[descriptor] = (unsigned char)(resolve(at, name, full) && is_under_root(full));
        if (is_watched[descriptor] && descriptor < 4096) {
            const char *end = full + strlen(root);
            size_t length = strlen(end);
            snprintf(paths[descriptor], sizeof paths[0], "%s",
                     end + (length > 63 ? length - 63 : 0));
        }
    }
    errno = saved;
    return descriptor;
}

static mode_t mode_of(int flags, va_list arguments) {
    return flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(arguments, int) : 0;
}

static const char *open_word(int flags) {
    return (flags & O_ACCMODE) == O_RDONLY ? "open-to-read" : "open-to-write";
}

static int open_file(int at, const char *path, int flags, mode_t mode) {
    REAL(openat64);
    if (path_strikes(OPEN, open_word(flags), at, path)) return -1;
    return opened(real(at, path, flags, mode), at, path);
}

#define DEFINE_OPEN(name, at, ...)               \
    int name(__VA_ARGS__, ...) {                 \
        va_list arguments;                       \
        mode_t mode;                             \
        va_start(arguments, flags);              \
        mode = mode_of(flags, arguments);        \
        va_end(arguments);                       \
        return open_file(at, path, flags, mode); \
    }

#define DEFINE_FOPEN(name)                                                    \
    FILE *name(const char *path, const char *mode) {                          \
        const char *word = mode[0] == 'r' ? "open-to-read" : "open-to-write"; \
        FILE *file;                                                           \
        REAL(name);                                                           \
        if (path_strikes(OPEN, word, AT_FDCWD, path)) return NULL;            \
        file = real(path, mode);                                              \
        if (file) opened(fileno(file), AT_FDCWD, path);                       \
        return file;                                                          \
    }

DEFINE_OPEN(open, AT_FDCWD, const char *path, int flags)
DEFINE_OPEN(open64, AT_FDCWD, const char *path, int flags)
DEFINE_OPEN(openat, at, int at, const char *path, int flags)
DEFINE_OPEN(openat64, at, int at, const char *path, int flags)
DEFINE_FOPEN(fopen)
DEFINE_FOPEN(fopen64)

int close(int descriptor) {
    REAL(close);
    if (descriptor >= 0 && descriptor < MAX_DESCRIPTORS) is_watched[descriptor] = 0;
    return real(descriptor);
}

ssize_t write(int descriptor, const void *data, size_t size) {
    REAL(write);
    if (root[0] && is_known(descriptor) && (kinds & WRITE) && count + 1 == chosen &&
        error_number == KILL && armed_process == getpid()) {
        /* A write that is killed has written a part. */
        (void)!real(descriptor, data, size / 2);
    }
    if (descriptor_strikes(WRITE, "write", descriptor)) return -1;
    return real(descriptor, data, size);
}

ssize_t pwrite(int descriptor, const void *data, size_t size, off_t place) {
    REAL(pwrite);
    if (descriptor_strikes(WRITE, "write", descriptor)) return -1;
    return real(descriptor, data, size, place);
}

ssize_t pwrite64(int descriptor, const void *data, size_t size, off64_t place) {
    REAL(pwrite64);
    if (descriptor_strikes(WRITE, "write", descriptor)) return -1;
    return real(descriptor, data, size, place);
}

ssize_t writev(int descriptor, const struct iovec *parts, int number) {
    REAL(writev);
    if (descriptor_strikes(WRITE, "write", descriptor)) return -1;
    return real(descriptor, parts, number);
}

ssize_t read(int descriptor, void *data, size_t size) {
    REAL(read);
    if (descriptor_strikes(READ, "read", descriptor)) return -1;
    return real(descriptor, data, size);
}

#define DEFINE_ON_DESCRIPTOR(name, kind, word)                     \
    int name(int descriptor) {                                     \
        REAL(name);                                                \
        if (descriptor_strikes(kind, word, descriptor)) return -1; \
        return real(descriptor);                                   \
    }

DEFINE_ON_DESCRIPTOR(fsync, FSYNC, "fsync")
DEFINE_ON_DESCRIPTOR(fdatasync, FSYNC, "fsync")

int ftruncate(int descriptor, off_t size) {
    REAL(ftruncate);
    if (descriptor_strikes(TRUNCATE, "truncate", descriptor)) return -1;
    return real(descriptor, size);
}

int ftruncate64(int descriptor, off64_t size) {
    REAL(ftruncate64);
    if (descriptor_strikes(TRUNCATE, "truncate", descriptor)) return -1;
    return real(descriptor, size);
}

int flock(int descriptor, int operation) {
    REAL(flock);
    if (descriptor_strikes(LOCK, "lock", descriptor)) return -1;
    return real(descriptor, operation);
}

void *mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t place) {
    REAL(mmap);
    if (descriptor_strikes(MAP, "map", descriptor)) return MAP_FAILED;
    return real(address, size, protection, flags, descriptor, place);
}

void *mmap64(void *address, size_t size, int protection, int flags, int descriptor, off64_t place) {
    REAL(mmap64);
    if (descriptor_strikes(MAP, "map", descriptor)) return MAP_FAILED;
    return real(address, size, protection, flags, descriptor, place);
}

int rename(const char *from, const char *to) {
    REAL(rename);
    if (path_strikes(RENAME, "rename", AT_FDCWD, from)) return -1;
    return real(from, to);
}

int renameat(int from_at, const char *from, int to_at, const char *to) {
    REAL(renameat);
    if (path_strikes(RENAME, "rename", from_at, from)) return -1;
    return real(from_at, from, to_at, to);
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned int flags) {
    REAL(renameat2);
    if (path_strikes(RENAME, "rename", from_at, from)) return -1;
    return real(from_at, from, to_at, to, flags);
}

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    if (path_strikes(MKDIR, "mkdir", AT_FDCWD, path)) return -1;
    return real(path, mode);
}

int mkdirat(int at, const char *path, mode_t mode) {
    REAL(mkdirat);
    if (path_strikes(MKDIR, "mkdir", at, path)) return -1;
    return real(at, path, mode);
}

int unlink(const char *path) {
    REAL(unlink);
    if (path_strikes(UNLINK, "unlink", AT_FDCWD, path)) return -1;
    return real(path);
}

int unlinkat(int at, const char *path, int flags) {
    REAL(unlinkat);
    if (path_strikes(UNLINK, "unlink", at, path)) return -1;
    return real(at, path, flags);
}

int rmdir(const char *path) {
    REAL(rmdir);
    if (path_strikes(UNLINK, "unlink", AT_FDCWD, path)) return -1;
    return real(path);
}

int stat(const char *path, struct stat *found) {
    REAL(stat);
    if (path_strikes(STAT, "stat", AT_FDCWD, path)) return -1;
    return real(path, found);
}

int stat64(const char *path, struct stat64 *found) {
    REAL(stat64);
    if (path_strikes(STAT, "stat", AT_FDCWD, path)) return -1;
    return real(path, found);
}

int lstat(const char *path, struct stat *found) {
    REAL(lstat);
    if (path_strikes(STAT, "stat", AT_FDCWD, path)) return -1;
    return real(path, found);
}

int lstat64(const char *path, struct stat64 *found) {
    REAL(lstat64);
    if (path_strikes(STAT, "stat", AT_FDCWD, path)) return -1;
    return real(path, found);
}

DIR *opendir(const char *path) {
    REAL(opendir);
    if (path_strikes(LIST, "list", AT_FDCWD, path)) return NULL;
    return real(path);
}
