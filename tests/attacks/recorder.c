/* Preloaded into a run: records what it asks of the file system below the folder RECORD_FOLDER, in order, to the file
 * RECORD_LOG. A record is a header (see `struct head`) and `size` bytes of data: a path, two paths with a zero between
 * them, or what was written. A sync has two records, since only what came before its beginning is on the disk at its
 * end. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct __attribute__((packed)) head {
    char kind; /* Open Write Truncate Sync-begins E-nds Rename Unlink Mkdir */
    double time;
    uint64_t inode;
    uint64_t at; /* offset or length; of an open: 1 it was made, 2 it was emptied */
    uint32_t size;
};

#define FILES 65536
static unsigned char tracked[FILES];
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static int log_file = -1;
static const char *folder;

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

static ssize_t raw_write(int file, const void *data, size_t size) {
    REAL(ssize_t, write, int, const void *, size_t);
    return real(file, data, size);
}

__attribute__((constructor)) static void begin(void) {
    static int (*real)(const char *, int, ...);
    real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64");
    folder = getenv("RECORD_FOLDER");
    const char *log = getenv("RECORD_LOG");
    if (folder && log) log_file = fcntl(real(log, O_WRONLY | O_CREAT | O_APPEND, 0600), F_DUPFD_CLOEXEC, 900);
}

static void put(char kind, uint64_t inode, uint64_t at, const void *data, size_t size) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    struct head head = {kind, now.tv_sec + now.tv_nsec * 1e-9, inode, at, size};
    struct iovec both[] = {{&head, sizeof head}, {(void *)data, size}};
    int before = errno;
    if (writev(log_file, both, 2) < 0) abort();
    errno = before;
}

/* The absolute path, or NULL if it is none of ours. */
static const char *mine(int at, const char *path, char *room) {
    if (log_file < 0 || !path) return NULL;
    if (path[0] != '/') {
        char base[PATH_MAX];
        if (at == AT_FDCWD) {
            if (!getcwd(base, sizeof base)) return NULL;
        } else {
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", at);
            ssize_t length = readlink(link, base, sizeof base - 1);
            if (length < 0) return NULL;
            base[length] = 0;
        }
        if (snprintf(room, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return NULL;
        path = room;
    }
    size_t length = strlen(folder);
    return strncmp(path, folder, length) || (path[length] && path[length] != '/') ? NULL : path;
}

static uint64_t inode_of(int file) {
    struct stat found;
    if (file < 0 || file >= FILES || !tracked[file] || fstat(file, &found)) return 0;
    return S_ISREG(found.st_mode) || S_ISDIR(found.st_mode) ? found.st_ino : 0;
}

static int opened(int at, const char *path, int flags, mode_t mode) {
    REAL(int, openat64, int, const char *, int, ...);
    char room[PATH_MAX];
    const char *name = mine(at, path, room);
    if (!name) {
        int file = real(at, path, flags, mode);
        if (file >= 0 && file < FILES) tracked[file] = 0;
        return file;
    }
    pthread_mutex_lock(&order);
    struct stat before;
    int made = flags & O_CREAT && lstat(name, &before);
    int file = real(at, path, flags, mode);
    if (file >= 0 && file < FILES) {
        tracked[file] = 1;
        int emptied = (flags & O_TRUNC) != 0;
        put('O', inode_of(file), made | emptied << 1, name, strlen(name));
    }
    pthread_mutex_unlock(&order);
    return file;
}

#define MODE(flags, mode) \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }

int open(const char *path, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags, mode) return opened(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags, mode) return opened(at, path, flags, mode); }
int __open_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }

ssize_t write(int file, const void *data, size_t size) {
    uint64_t inode = inode_of(file);
    if (!inode) return raw_write(file, data, size);
    pthread_mutex_lock(&order);
    ssize_t written = raw_write(file, data, size);
    if (written > 0) put('W', inode, lseek(file, 0, SEEK_CUR) - written, data, written);
    pthread_mutex_unlock(&order);
    return written;
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
    REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
    uint64_t inode = inode_of(file);
    if (!inode) return real(file, data, size, at);
    pthread_mutex_lock(&order);
    ssize_t written = real(file, data, size, at);
    if (written > 0) put('W', inode, at, data, written);
    pthread_mutex_unlock(&order);
    return written;
}

ssize_t pwrite(int file, const void *data, size_t size, off_t at) { return pwrite64(file, data, size, at); }

static int cut(int file, off64_t length) {
    REAL(int, ftruncate64, int, off64_t);
    uint64_t inode = inode_of(file);
    if (!inode) return real(file, length);
    pthread_mutex_lock(&order);
    int failed = real(file, length);
    if (!failed) put('T', inode, length, "", 0);
    pthread_mutex_unlock(&order);
    return failed;
}

int ftruncate(int file, off_t length) { return cut(file, length); }
int ftruncate64(int file, off64_t length) { return cut(file, length); }

static void sync_record(char kind, uint64_t inode) {
    pthread_mutex_lock(&order);
    put(kind, inode, 0, "", 0);
    pthread_mutex_unlock(&order);
}

int fsync(int file) {
    REAL(int, fsync, int);
    uint64_t inode = inode_of(file);
    if (inode) sync_record('S', inode);
    int failed = real(file);
    if (inode && !failed) sync_record('E', inode);
    return failed;
}

int fdatasync(int file) {
    REAL(int, fdatasync, int);
    uint64_t inode = inode_of(file);
    if (inode) sync_record('S', inode);
    int failed = real(file);
    if (inode && !failed) sync_record('E', inode);
    return failed;
}

static int renamed(int at, const char *old, int to, const char *new) {
    REAL(int, renameat, int, const char *, int, const char *);
    char one[PATH_MAX], two[PATH_MAX], both[2 * PATH_MAX];
    const char *from = mine(at, old, one), *into = mine(to, new, two);
    if (!from || !into) return real(at, old, to, new);
    pthread_mutex_lock(&order);
    int failed = real(at, old, to, new);
    if (!failed) {
        size_t first = strlen(from), second = strlen(into);
        memcpy(both, from, first + 1);
        memcpy(both + first + 1, into, second);
        put('R', 0, 0, both, first + 1 + second);
    }
    pthread_mutex_unlock(&order);
    return failed;
}

int rename(const char *old, const char *new) { return renamed(AT_FDCWD, old, AT_FDCWD, new); }
int renameat(int at, const char *old, int to, const char *new) { return renamed(at, old, to, new); }

static int unlinked(int at, const char *path, int flags) {
    REAL(int, unlinkat, int, const char *, int);
    char room[PATH_MAX];
    const char *name = mine(at, path, room);
    if (!name) return real(at, path, flags);
    pthread_mutex_lock(&order);
    int failed = real(at, path, flags);
    if (!failed) put('U', 0, 0, name, strlen(name));
    pthread_mutex_unlock(&order);
    return failed;
}

int unlink(const char *path) { return unlinked(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinked(AT_FDCWD, path, AT_REMOVEDIR); }
int unlinkat(int at, const char *path, int flags) { return unlinked(at, path, flags); }

int mkdir(const char *path, mode_t mode) {
    REAL(int, mkdir, const char *, mode_t);
    char room[PATH_MAX];
    const char *name = mine(AT_FDCWD, path, room);
    pthread_mutex_lock(&order);
    int failed = real(path, mode);
    struct stat found;
    if (!failed && name && !stat(name, &found)) put('M', found.st_ino, 0, name, strlen(name));
    pthread_mutex_unlock(&order);
    return failed;
}
