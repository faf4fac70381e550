// A library to preload: counts the calls that change files of one folder and, at call number KV_AT, kills the process before the
// call, after it or half-way through a write, or lets the call fail. KV_DIR: the folder. KV_MODE: before, after, half or error:NUMBER.
// KV_ONLY: the name of the calls that count, else all. KV_IMAGES: a folder into which the other one is copied as a kill before each
// call, and half-way through each write, would leave it. Build: gcc -shared -fPIC -O1 -o crash-points.so crash-points.c -ldl
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[PATH_MAX];
static char only[32];
static const char *images = "";
static const char *mode = "";
static long at = -1, calls;

__attribute__((constructor)) static void start(void)
{
    if (getenv("KV_DIR")) snprintf(folder, sizeof folder, "%s", getenv("KV_DIR"));
    if (getenv("KV_AT")) at = atol(getenv("KV_AT"));
    if (getenv("KV_MODE")) mode = getenv("KV_MODE");
    if (getenv("KV_IMAGES")) images = getenv("KV_IMAGES");
    if (getenv("KV_ONLY")) snprintf(only, sizeof only, "%s", getenv("KV_ONLY"));
}

static int inside(const char *path) { return folder[0] && path && strncmp(path, folder, strlen(folder)) == 0; }

static int of(int file)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return inside(path);
}

static void end(void)
{
    kill(getpid(), SIGKILL);
    pause();
}

static void copy(const char *when)
{
    char command[3 * PATH_MAX];
    if (!images[0]) return;
    snprintf(command, sizeof command, "[ -d '%s' ] && env -u LD_PRELOAD cp -a '%s' '%s/%05ld-%s'", folder, folder, images, calls, when);
    if (system(command) == -1) end();
}

// 0: go on; 1: fail; 2: end after the call; 3: end half-way; 4: copy half-way.
static int now(const char *call)
{
    if (only[0] && strcmp(only, call)) return 0;
    long number = __sync_add_and_fetch(&calls, 1);
    copy("before");
    if (images[0] && !strcmp(call, "write")) return 4;
    if (number != at) return 0;
    if (!strcmp(mode, "before")) end();
    if (!strncmp(mode, "error:", 6)) { errno = atoi(mode + 6); return 1; }
    return !strcmp(mode, "half") && !strcmp(call, "write") ? 3 : 2;
}

#define AROUND(call, is, real, arguments)                                                        \
    int what = (is) ? now(call) : 0;                                                             \
    if (what == 1) return -1;                                                                    \
    __typeof__(real arguments) result = real arguments;                                          \
    if (what) end();                                                                             \
    return result;

#define NEXT(type, name, parameters)                                                             \
    static type (*real) parameters;                                                              \
    if (!real) real = (type (*) parameters)dlsym(RTLD_NEXT, name);

static int opened(const char *name, const char *path, int flags, mode_t rights)
{
    NEXT(int, name, (const char *, int, ...))
    AROUND("open", inside(path) && (flags & (O_CREAT | O_RDWR | O_WRONLY)), real, (path, flags, rights))
}

int open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t rights = va_arg(rest, mode_t);
    va_end(rest);
    return opened("open", path, flags, rights);
}

int open64(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t rights = va_arg(rest, mode_t);
    va_end(rest);
    return opened("open", path, flags, rights);
}

ssize_t write(int file, const void *bytes, size_t count)
{
    NEXT(ssize_t, "write", (int, const void *, size_t))
    int what = folder[0] && of(file) ? now("write") : 0;
    if (what == 1) return -1;
    if (what == 4)
    {
        // The caller writes the rest.
        ssize_t half = real(file, bytes, (count + 1) / 2);
        copy("half");
        return half;
    }
    ssize_t result = real(file, bytes, what == 3 ? count / 2 : count);
    if (what) end();
    return result;
}

int fsync(int file) { NEXT(int, "fsync", (int)) AROUND("fsync", folder[0] && of(file), real, (file)) }
int link(const char *a, const char *b) { NEXT(int, "link", (const char *, const char *)) AROUND("link", inside(b), real, (a, b)) }
int rename(const char *a, const char *b) { NEXT(int, "rename", (const char *, const char *)) AROUND("rename", inside(b), real, (a, b)) }
int unlink(const char *a) { NEXT(int, "unlink", (const char *)) AROUND("unlink", inside(a), real, (a)) }
int mkdir(const char *a, mode_t rights) { NEXT(int, "mkdir", (const char *, mode_t)) AROUND("mkdir", inside(a), real, (a, rights)) }
