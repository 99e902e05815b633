/* The temporary file is "DIR/.nzip-PID-N.tmp", made with O_EXCL and mode 600; it takes the final
 * mode just before the rename, so that nobody reads a half-written or private file by accident. */
#include "cli/target.h"
#include "cli/mapped.h"
#include "cli/message.h"
#include "cli/visible.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEMP_TRIES 100

/* The handler may run on any thread at any time: it reads only these two. */
static char unfinished[PATH_MAX];
static volatile sig_atomic_t is_unfinished;

static const int FATAL[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXCPU, SIGBUS};
#define FATAL_COUNT (sizeof FATAL / sizeof *FATAL)

/* With what a handler may use, and once: several threads may read from the file. */
static void say_cut(const char *name)
{
    static atomic_flag said = ATOMIC_FLAG_INIT;
    static char line[PATH_MAX + 100] = "nzip: ";
    while (atomic_flag_test_and_set(&said))
        pause(); /* until the other thread ends us */
    strncat(line, name, PATH_MAX);
    strcat(line, ": cannot read: it was cut short meanwhile, or its disk fails\n");
    (void)!write(STDERR_FILENO, line, strlen(line));
}

/* Whoever sent a signal knows why; only that a mapped file is not there any more must be told. */
static void on_fatal(int number, siginfo_t *info, void *context)
{
    const char *name = number == SIGBUS && info->si_code > 0 ? mapped_at(info->si_addr) : NULL;
    (void)context;
    if (is_unfinished)
        unlink(unfinished);
    if (name) {
        say_cut(name);
        _exit(STATUS_ERROR);
    }
    signal(number, SIG_DFL);
    raise(number);
}

/* A file that is larger than the user may write is an error like a full disk. */
void target_guard(void)
{
    for (size_t i = 0; i < FATAL_COUNT; i++) {
        struct sigaction old, act = {.sa_sigaction = on_fatal, .sa_flags = SA_SIGINFO};
        sigaction(FATAL[i], NULL, &old);
        if (old.sa_handler != SIG_IGN) /* nohup */
            sigaction(FATAL[i], &act, NULL);
    }
    signal(SIGXFSZ, SIG_IGN);
}

static bool user_agrees(const char *name)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return false;
    fputs("nzip: ", stderr);
    visible_put(stderr, name);
    fputs(" already exists; overwrite (y/N)? ", stderr);
    int first = getchar(), c = first;
    while (c != '\n' && c != EOF)
        c = getchar();
    return first == 'y' || first == 'Y';
}

static bool may_write(target *t, const struct stat *st, bool force)
{
    if (S_ISDIR(st->st_mode)) {
        say_error("%s: is a directory", t->name);
        return false;
    }
    t->replace = force || user_agrees(t->name);
    if (!t->replace)
        say_error("%s: already exists; not overwritten (-f overwrites)", t->name);
    return t->replace;
}

/* dirname() may change its argument and may return static memory: work on a copy, return one. */
static char *folder_of(const char *name)
{
    char *copy = strdup(name);
    char *folder = copy ? strdup(dirname(copy)) : NULL;
    free(copy);
    return folder;
}

/* The handler knows the name before the file exists. */
static int create_temp(void)
{
    is_unfinished = 1;
    int fd = open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        is_unfinished = 0;
    return fd;
}

static int open_temp(const char *folder)
{
    static unsigned serial;
    int fd = -1;
    for (int i = 0; i < TEMP_TRIES && fd < 0; i++) {
        int n = snprintf(unfinished, sizeof unfinished, "%s/.nzip-%ld-%u.tmp", folder,
                         (long)getpid(), serial++);
        if (n >= (int)sizeof unfinished)
            errno = ENAMETOOLONG;
        else
            fd = create_temp();
        if (fd < 0 && errno != EEXIST)
            break;
    }
    return fd;
}

static int open_beside(const char *name)
{
    char *folder = folder_of(name);
    int fd = folder ? open_temp(folder) : -1;
    int saved = folder ? errno : ENOMEM;
    free(folder);
    errno = saved;
    return fd;
}

static bool attach(target *t, int fd)
{
    if (fd >= 0 && (t->to = fdopen(fd, "wb")))
        return true;
    say_error("%s: cannot create: %s", t->name, strerror(errno));
    if (fd >= 0)
        close(fd);
    target_drop(t);
    return false;
}

/* A device or pipe, perhaps through a link, has no bytes of its own: it is written into. */
static bool is_device(const char *name)
{
    struct stat st;
    return !stat(name, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

bool target_open(target *t, const char *name, bool named, bool force)
{
    struct stat st;
    *t = (target){.name = name, .in_place = !name || (named && is_device(name))};
    if (!name) {
        t->to = stdout;
        return true;
    }
    if (t->in_place)
        return attach(t, open(name, O_WRONLY | O_CLOEXEC));
    if (!lstat(name, &st) && !may_write(t, &st, force))
        return false;
    return attach(t, open_beside(name));
}

const char *target_name(const target *t)
{
    return t->name ? t->name : "(stdout)";
}

bool target_write(const target *t, const void *p, size_t n)
{
    const char *at = p, *end = at + n;
    while (at < end) {
        ssize_t got = write(fileno(t->to), at, (size_t)(end - at));
        if (got > 0)
            at += got;
        else if (got == 0 || errno != EINTR)
            return false;
    }
    return true;
}

FILE *target_reopen(const target *t)
{
    errno = ESPIPE;
    return t->in_place ? NULL : fopen(unfinished, "rb");
}

/* Whoever may not give the file away must not leave a set-user-ID bit on it either. */
static void copy_metadata(int fd, const struct stat *like)
{
    mode_t mode = like->st_mode & 07777;
    struct timespec times[2] = {like->st_atim, like->st_mtim};
    if (fchown(fd, (uid_t)-1, like->st_gid))
        mode &= (mode_t)~02070;
    if (fchown(fd, like->st_uid, (gid_t)-1))
        mode &= (mode_t)~04000;
    (void)!fchmod(fd, mode);
    (void)!futimens(fd, times);
}

static void new_metadata(int fd)
{
    mode_t mask = umask(0);
    umask(mask);
    (void)!fchmod(fd, 0666 & ~mask);
}

static int sync_folder(const char *name)
{
    char *folder = folder_of(name);
    int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int failed = fd < 0 ? -1 : fsync(fd);
    int saved = errno;
    free(folder);
    if (fd >= 0)
        close(fd);
    errno = saved;
    return failed;
}

/* link() fails where rename() would silently replace a file that appeared since we looked. */
static int give_name(const target *t)
{
    if (!t->replace && !link(unfinished, t->name))
        return unlink(unfinished);
    if (!t->replace && errno == EEXIST)
        return -1;
    return rename(unfinished, t->name); /* also where a file system has no hard links */
}

static int finish(target *t, const struct stat *like, bool durable)
{
    FILE *to = t->to;
    if (fflush(to) || ferror(to))
        return -1;
    if (t->in_place)
        return 0;
    if (like)
        copy_metadata(fileno(to), like);
    else
        new_metadata(fileno(to));
    if (durable && fsync(fileno(to)))
        return -1;
    t->to = NULL;
    if (fclose(to) || give_name(t))
        return -1;
    is_unfinished = 0;
    return durable ? sync_folder(t->name) : 0;
}

bool target_keep(target *t, const struct stat *like, bool durable)
{
    int failed = finish(t, like, durable), saved = errno;
    target_drop(t);
    if (failed && saved == EPIPE && !t->name)
        say_failed(); /* the reader of our pipe has seen enough */
    else if (failed)
        say_error("%s: cannot write: %s", target_name(t), strerror(saved));
    return !failed;
}

void target_drop(target *t)
{
    if (t->to && t->to != stdout)
        fclose(t->to);
    t->to = NULL;
    if (is_unfinished)
        unlink(unfinished);
    is_unfinished = 0;
}
