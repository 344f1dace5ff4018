/* LD_PRELOAD shim: sees every libc call that changes the disk below one folder, and spoils one of them.
 *
 * Does nothing until faults_arm() is called. From then on calls below the folder run one at a time (so the order of
 * the log is the order of the disk, with threads too), each is logged as one line, and the call number `number`
 * among those with the same key ("kind path") is spoiled. Random names in paths are written as `*`.
 * Every call goes to the kernel in its *at form; off_t must have 64 bits, so that open64 and open are one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

_Static_assert(sizeof(off_t) == 8, "a 64 bit machine");

enum mode { WATCH, FAIL_EIO, FAIL_ENOSPC, DISK_FULL, SHORT, TORN, KILL_BEFORE, KILL_AFTER, STOP_BEFORE };

struct call {
    const char *kind;
    char path[PATH_MAX], other[PATH_MAX]; /* absolute; below the folder once `watched` says so */
    unsigned long inode;
    long long offset;
    size_t bytes; /* to be written; halved for a short write */
    int grows;    /* needs space on the disk */
    int created;
    int spoiled;
};

static struct {
    int armed, log, mode, full;
    long number, seen, serial;
    char folder[PATH_MAX], key[PATH_MAX], grave[PATH_MAX];
    size_t length;
} order;
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static int hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

/* Runs of 16 and more hex digits are random, unless they are SHA-256 or SHA-512; so are the inodes of O_TMPFILE. */
static void without_random(const char *from, char *to)
{
    while (*from) {
        size_t run = 0;
        if (*from == '#')
            while (from[run + 1] >= '0' && from[run + 1] <= '9') run++;
        else
            while (hex(from[run])) run++;
        if (*from == '#' || (run >= 16 && run != 64 && run != 128)) {
            from += run + (*from == '#');
            *to++ = '*';
        } else if (run) {
            memcpy(to, from, run);
            from += run, to += run;
        } else
            *to++ = *from++;
    }
    *to = 0;
}

/* The folder itself, too. */
static int below(const char *path)
{
    size_t inner = order.length - 1;
    return strncmp(path, order.folder, inner) == 0 && (path[inner] == '/' || !path[inner]);
}

static void link_target(int fd, char *path)
{
    char name[64];
    if (fd == AT_FDCWD) snprintf(name, sizeof name, "/proc/self/cwd");
    else snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    long length = syscall(SYS_readlinkat, AT_FDCWD, name, path, (size_t)PATH_MAX - 1);
    path[length > 0 ? length : 0] = 0;
}

static void absolute(int folder, const char *path, char *to)
{
    char base[PATH_MAX];
    if (path[0] == '/') base[0] = 0;
    else link_target(folder, base);
    if (snprintf(to, PATH_MAX, "%s%s%s", base, base[0] ? "/" : "", path) >= PATH_MAX) abort();
}

static int of_path(struct call *c, int folder, const char *path)
{
    if (!order.armed || !path) return 0;
    absolute(folder, path, c->path);
    struct stat found;
    int flags = strcmp(c->kind, "open") ? AT_SYMLINK_NOFOLLOW : 0;
    if (fstatat(folder, path, &found, flags) == 0) c->inode = found.st_ino;
    return below(c->path);
}

static int of_file(struct call *c, int fd)
{
    if (!order.armed || fd == order.log) return 0;
    link_target(fd, c->path);
    struct stat found;
    if (fstat(fd, &found) == 0) c->inode = found.st_ino;
    return below(c->path);
}

static const char *relative(const char *path)
{
    if (!below(path)) return path;
    return path[order.length - 1] ? path + order.length : "";
}

static void log_call(const struct call *c, long result)
{
    char line[3 * PATH_MAX], path[PATH_MAX], other[PATH_MAX];
    without_random(relative(c->path), path);
    without_random(relative(c->other), other);
    int length = snprintf(line, sizeof line, "%s\t%s\t%s\t%s\t%s\t%lu\t%lld\t%zu\t%ld\t%ld\t%d\t%d\n", c->kind, path,
                          other, relative(c->path), relative(c->other), c->inode, c->offset, c->bytes, result,
                          order.serial, c->created, c->spoiled);
    if (syscall(SYS_write, order.log, line, (size_t)length) != length) abort();
}

/* Log to `log`; spoil call `number` of `key` (none if 0). What a rename or unlink destroys is kept in `grave`. */
void faults_arm(const char *folder, const char *log, const char *grave, const char *key, long number, int mode)
{
    snprintf(order.folder, sizeof order.folder, "%s/", folder);
    snprintf(order.grave, sizeof order.grave, "%s", grave);
    snprintf(order.key, sizeof order.key, "%s", key);
    order.length = strlen(order.folder);
    order.number = number;
    order.mode = mode;
    order.log = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    order.serial = syscall(SYS_lseek, order.log, 0L, SEEK_END); /* unique, also where several runs share a log */
    order.armed = order.log >= 0;
    struct call c = {.kind = "run"}; /* where several runs share a log, this line parts them */
    log_call(&c, 0);
}

static int is_meant(const struct call *c)
{
    char path[PATH_MAX], key[2 * PATH_MAX];
    without_random(relative(c->path), path);
    snprintf(key, sizeof key, "%s %s", c->kind, path);
    return strcmp(key, order.key) == 0 && ++order.seen == order.number;
}

static void stop_oneself(int signal) { syscall(SYS_kill, getpid(), signal); }

/* 0: do it (perhaps with fewer bytes); -1: fail with errno. Takes the mutex, which finish() gives back. */
static int begin(struct call *c)
{
    pthread_mutex_lock(&one_at_a_time);
    order.serial++;
    int error = order.full && c->grows ? ENOSPC : 0;
    if (is_meant(c)) {
        c->spoiled = 1;
        order.full = order.mode == DISK_FULL;
        if (order.mode == FAIL_EIO) error = EIO;
        if (order.mode == FAIL_ENOSPC || order.mode == DISK_FULL) error = ENOSPC;
        if (order.mode == SHORT || order.mode == TORN) c->bytes /= 2;
        if (order.mode == KILL_BEFORE) log_call(c, -EINTR), stop_oneself(SIGKILL);
        if (order.mode == STOP_BEFORE) stop_oneself(SIGSTOP);
    }
    errno = error;
    return error ? -1 : 0;
}

static long finish(struct call *c, long result)
{
    int error = errno;
    log_call(c, result < 0 ? -error : result);
    if (c->spoiled && (order.mode == KILL_AFTER || order.mode == TORN)) stop_oneself(SIGKILL);
    pthread_mutex_unlock(&one_at_a_time);
    errno = error;
    return result;
}

#define RUN(c, really) finish(&(c), begin(&(c)) ? -1 : (really))

/* A name that is about to go keeps its file in the grave, so that a test can undo what no fsync made durable. */
static void bury(const char *path)
{
    char name[PATH_MAX + 32];
    int error = errno;
    snprintf(name, sizeof name, "%s/%ld", order.grave, order.serial);
    if (order.grave[0]) syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, name, 0);
    errno = error;
}

static int do_open(int folder, const char *path, int flags, mode_t mode)
{
    struct call c = {.kind = "open"};
    int changes = (flags & (O_CREAT | O_TRUNC)) || (flags & O_ACCMODE) != O_RDONLY;
    if (!changes || !of_path(&c, folder, path)) return syscall(SYS_openat, folder, path, flags, mode);
    c.created = c.grows = (flags & O_CREAT) && !c.inode;
    c.bytes = (flags & O_TRUNC) != 0;
    return RUN(c, syscall(SYS_openat, folder, path, flags, mode));
}

static mode_t mode_of(int flags, va_list rest)
{
    return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(rest, mode_t) : 0;
}

#define OPEN(name, parameters, folder)                      \
    int name parameters                                     \
    {                                                       \
        va_list rest;                                       \
        va_start(rest, flags);                              \
        mode_t mode = mode_of(flags, rest);                 \
        va_end(rest);                                       \
        return do_open(folder, path, flags, mode);          \
    }
OPEN(open, (const char *path, int flags, ...), AT_FDCWD)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD)
OPEN(openat, (int folder, const char *path, int flags, ...), folder)
OPEN(openat64, (int folder, const char *path, int flags, ...), folder)
int __open_2(const char *path, int flags) { return do_open(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return do_open(AT_FDCWD, path, flags, 0); }
int __openat_2(int folder, const char *path, int flags) { return do_open(folder, path, flags, 0); }
int __openat64_2(int folder, const char *path, int flags) { return do_open(folder, path, flags, 0); }

static long long position(int fd)
{
    struct stat found;
    int appends = fcntl(fd, F_GETFL) & O_APPEND;
    return appends && fstat(fd, &found) == 0 ? found.st_size : syscall(SYS_lseek, fd, 0L, SEEK_CUR);
}

ssize_t write(int fd, const void *data, size_t bytes)
{
    struct call c = {.kind = "write", .bytes = bytes, .grows = 1};
    if (!of_file(&c, fd)) return syscall(SYS_write, fd, data, bytes);
    c.offset = position(fd);
    return RUN(c, syscall(SYS_write, fd, data, c.bytes));
}

ssize_t pwrite(int fd, const void *data, size_t bytes, off_t offset)
{
    struct call c = {.kind = "pwrite", .bytes = bytes, .offset = offset, .grows = 1};
    if (!of_file(&c, fd)) return syscall(SYS_pwrite64, fd, data, bytes, offset);
    return RUN(c, syscall(SYS_pwrite64, fd, data, c.bytes, offset));
}
ssize_t pwrite64(int fd, const void *data, size_t bytes, off_t offset) __attribute__((alias("pwrite")));

/* offset -1: at the file's position. A shortened call is one plain write of what is left of the first pieces. */
static ssize_t do_writev(int fd, const struct iovec *pieces, int count, off_t offset, int flags)
{
    struct call c = {.kind = offset < 0 ? "writev" : "pwritev", .offset = offset, .grows = 1};
    for (int i = 0; i < count; i++) c.bytes += pieces[i].iov_len;
    size_t whole = c.bytes;
    if (!of_file(&c, fd)) return syscall(SYS_pwritev2, fd, pieces, (long)count, offset, 0L, flags);
    if (offset < 0) c.offset = position(fd);
    if (begin(&c)) return finish(&c, -1);
    struct iovec shorter[IOV_MAX];
    size_t left = c.bytes;
    int used = 0;
    for (; used < count && left; used++) {
        shorter[used] = pieces[used];
        if (shorter[used].iov_len > left) shorter[used].iov_len = left;
        left -= shorter[used].iov_len;
    }
    if (c.bytes == whole) used = count, memcpy(shorter, pieces, count * sizeof *pieces);
    return finish(&c, syscall(SYS_pwritev2, fd, shorter, (long)used, offset, 0L, flags));
}
ssize_t writev(int fd, const struct iovec *pieces, int count) { return do_writev(fd, pieces, count, -1, 0); }
ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t at) { return do_writev(fd, pieces, count, at, 0); }
ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off_t at) __attribute__((alias("pwritev")));
ssize_t pwritev2(int fd, const struct iovec *pieces, int count, off_t at, int flags)
{
    return do_writev(fd, pieces, count, at, flags);
}
ssize_t pwritev64v2(int fd, const struct iovec *pieces, int count, off_t at, int flags)
    __attribute__((alias("pwritev2")));

ssize_t sendfile(int to, int from, off_t *offset, size_t bytes)
{
    struct call c = {.kind = "sendfile", .bytes = bytes, .grows = 1};
    if (!of_file(&c, to)) return syscall(SYS_sendfile, to, from, offset, bytes);
    c.offset = position(to);
    return RUN(c, syscall(SYS_sendfile, to, from, offset, c.bytes));
}
ssize_t sendfile64(int to, int from, off_t *offset, size_t bytes) __attribute__((alias("sendfile")));

ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *where, size_t bytes, unsigned flags)
{
    struct call c = {.kind = "copy_file_range", .bytes = bytes, .grows = 1};
    if (!of_file(&c, to)) return syscall(SYS_copy_file_range, from, at, to, where, bytes, flags);
    c.offset = where ? *where : position(to);
    return RUN(c, syscall(SYS_copy_file_range, from, at, to, where, c.bytes, flags));
}

/* Logged so that a test can refuse it: nobody can count writes to mapped memory. */
void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    struct call c = {.kind = "mmap"};
    if ((flags & MAP_TYPE) == MAP_PRIVATE || !(protection & PROT_WRITE) || fd < 0 || !of_file(&c, fd))
        return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
    return (void *)RUN(c, syscall(SYS_mmap, address, length, protection, flags, fd, offset));
}
void *mmap64(void *, size_t, int, int, int, off_t) __attribute__((alias("mmap")));

#define ON_FILE(type, name, parameters, really)                       \
    type name parameters                                              \
    {                                                                 \
        struct call c = {.kind = #name};                              \
        if (!of_file(&c, fd)) return really;                          \
        return RUN(c, really);                                        \
    }
/* A killed process loses nothing of the page cache, so an fsync has to be seen, not done: that is much faster. */
ON_FILE(int, fsync, (int fd), fcntl(fd, F_GETFD) < 0 ? -1 : 0)
ON_FILE(int, fdatasync, (int fd), fcntl(fd, F_GETFD) < 0 ? -1 : 0)
ON_FILE(int, ftruncate, (int fd, off_t length), syscall(SYS_ftruncate, fd, length))
ON_FILE(int, fallocate, (int fd, int mode, off_t at, off_t length), syscall(SYS_fallocate, fd, mode, at, length))
ON_FILE(int, flock, (int fd, int operation), syscall(SYS_flock, fd, operation))
ON_FILE(int, fchmod, (int fd, mode_t mode), syscall(SYS_fchmod, fd, mode))
int ftruncate64(int fd, off_t length) __attribute__((alias("ftruncate")));
int fallocate64(int fd, int mode, off_t at, off_t length) __attribute__((alias("fallocate")));
int posix_fallocate(int fd, off_t at, off_t length) { return fallocate(fd, 0, at, length) ? errno : 0; }
int posix_fallocate64(int fd, off_t at, off_t length) __attribute__((alias("posix_fallocate")));

/* Also a close that fails has closed, as on Linux. */
int close(int fd)
{
    struct call c = {.kind = "close"};
    if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY || !of_file(&c, fd)) return syscall(SYS_close, fd);
    int failed = begin(&c), error = errno;
    long result = syscall(SYS_close, fd);
    if (failed) errno = error;
    return finish(&c, failed ? -1 : result);
}

/* `from` is what is looked at for the inode, `to` is the name that appears. */
static int do_rename(int from, const char *old, int to, const char *new, unsigned flags)
{
    struct call c = {.kind = "rename"};
    int watched = of_path(&c, from, old);
    if (!watched) return syscall(SYS_renameat2, from, old, to, new, flags);
    absolute(to, new, c.other);
    if (begin(&c)) return finish(&c, -1);
    bury(c.other);
    return finish(&c, syscall(SYS_renameat2, from, old, to, new, flags));
}
int rename(const char *old, const char *new) { return do_rename(AT_FDCWD, old, AT_FDCWD, new, 0); }
int renameat(int from, const char *old, int to, const char *new) { return do_rename(from, old, to, new, 0); }
int renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
    return do_rename(from, old, to, new, flags);
}

int linkat(int from, const char *old, int to, const char *new, int flags)
{
    struct call c = {.kind = "link", .grows = 1};
    if (!order.armed || (of_path(&c, from, old), absolute(to, new, c.other), !below(c.other)))
        return syscall(SYS_linkat, from, old, to, new, flags);
    return RUN(c, syscall(SYS_linkat, from, old, to, new, flags));
}
int link(const char *old, const char *new) { return linkat(AT_FDCWD, old, AT_FDCWD, new, 0); }

int unlinkat(int folder, const char *path, int flags)
{
    struct call c = {.kind = flags & AT_REMOVEDIR ? "rmdir" : "unlink"};
    if (!of_path(&c, folder, path)) return syscall(SYS_unlinkat, folder, path, flags);
    if (begin(&c)) return finish(&c, -1);
    if (!(flags & AT_REMOVEDIR)) bury(c.path);
    return finish(&c, syscall(SYS_unlinkat, folder, path, flags));
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int folder, const char *path, mode_t mode)
{
    struct call c = {.kind = "mkdir", .grows = 1};
    if (!of_path(&c, folder, path)) return syscall(SYS_mkdirat, folder, path, mode);
    return RUN(c, syscall(SYS_mkdirat, folder, path, mode));
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int symlinkat(const char *target, int folder, const char *path)
{
    struct call c = {.kind = "symlink", .grows = 1};
    if (!of_path(&c, folder, path)) return syscall(SYS_symlinkat, target, folder, path);
    return RUN(c, syscall(SYS_symlinkat, target, folder, path));
}
int symlink(const char *target, const char *path) { return symlinkat(target, AT_FDCWD, path); }
