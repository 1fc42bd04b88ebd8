/*
 * scini: the data path of one mapping of a simulated SDC (in the field a kernel module of this name).
 *
 * Serves one volume file as a one-file FUSE file system that only it and the kernel can see, puts a loop device over
 * it, and stays for as long as the mapping lasts. All I/O of the device passes through here, so the mapping is gone
 * when the process is: file systems, raw writers and page caches on the device get EIO from then on, and nothing
 * written later can reach the volume. That holds for kill -9 too, which is how a host loses power.
 *
 * It is two processes. The keeper holds the loop device, obeys the agent and watches the fence. The server does the
 * I/O and holds nothing else: no loop device and no mount namespace of the host, because the last holder of those
 * does the device's last writes while it dies, and could then wait for answers that only it could give.
 *
 *   scini --file FILE --volume ID --guid GUID --fence-dir DIR [--read-only] [--durable]
 *
 * stdout, one line each:  ready loopN | resized | fenced | detached | lost     stderr: why it could not
 * stdin,  one line each:  rescan (take a new size of the file) | limits IOPS KIBPS (0 is unlimited) |
 *                         detach (end in order) ; end of file: end at once
 * --durable: what a host flushes outlives a power cut of this machine, too; else it is kept for as long as the machine is on.
 *
 * exit:   0 ended in order, 2 not allowed by the fence, 1 anything else
 *
 * It speaks to /dev/fuse by itself on purpose: libfuse's loop owns its threads, descriptors and signals, and the two processes above stand
 * and fall with who holds what; a host that compiles this needs no more than a C compiler and the kernel's headers.
 *
 * Order that the MDM relies on: `<volume>.<GUID>.held` is created and locked (flock) before the fence is read, and
 * removed after the last write is done. Its lock is free as soon as the server is dead, whoever killed it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/fuse.h>
#include <linux/loop.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, MAX_WRITE = 1 << 20, POLL_MS = 250, BLIND_POLL_MS = 50, EXIT_NOT_ALLOWED = 2, LOOP_TRIES = 64, LOOP_MAJOR_NUMBER = 7 };

static struct {
    const char *file, *volume, *guid, *fence_dir;
    bool read_only, durable;
    int fuse, data, backing, held, fence_fd, link; /* link: one end in the keeper, the other in the server */
    pid_t server;
    char held_path[4096], fence_path[4096], loop_path[64], file_name[256];
    pthread_rwlock_t life; /* read-held by every I/O, write-held once to end all I/O */
    bool dead;
} self = { .fuse = -1, .data = -1, .backing = -1, .held = -1, .link = -1, .life = PTHREAD_RWLOCK_INITIALIZER };

static void say(const char *line) {
    printf("%s\n", line);
    fflush(stdout);
}

static void fail(const char *format, ...) {
    int error = errno;
    va_list values;
    va_start(values, format);
    fprintf(stderr, "scini: ");
    vfprintf(stderr, format, values);
    fprintf(stderr, ": %s\n", strerror(error));
    va_end(values);
    if (self.held >= 0) unlink(self.held_path);
    exit(1);
}

/* ---- fence ---- */

static bool allowed(void) {
    static char text[1 << 20];
    char quoted[80];
    int fd = open(self.fence_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length < 0) return false;
    text[length] = '\0';
    const char *list = strstr(text, "\"allowed\"");
    snprintf(quoted, sizeof quoted, "\"%s\"", self.guid);
    return list != NULL && strstr(list, quoted) != NULL;
}

static void send_line(const char *line) {
    /* The server may be gone; that shows when it is waited for. */
    if (send(self.link, line, strlen(line), MSG_NOSIGNAL) < 0) return;
}

static bool in_first_pid_namespace(void) {
    char link[64] = "";
    ssize_t length = readlink("/proc/self/ns/pid", link, sizeof link - 1);
    return length > 0 && strncmp(link, "pid:[4026531836]", (size_t)length) == 0;
}

/* A process of an earlier mapping may still be ending: wait for its lock, and make sure the name is still ours. */
static void hold(void) {
    struct stat opened, named;
    for (;;) {
        self.held = open(self.held_path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (self.held < 0) fail("cannot create \"%s\"", self.held_path);
        if (flock(self.held, LOCK_EX) < 0) fail("cannot lock \"%s\"", self.held_path);
        if (fstat(self.held, &opened) == 0 && stat(self.held_path, &named) == 0 && opened.st_ino == named.st_ino) break;
        close(self.held);
    }
}

/* ---- limits of the mapping ---- */

static struct {
    pthread_mutex_t lock;
    uint64_t iops, kib_per_second, free_at; /* nanoseconds of the monotonic clock */
} limits = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void wait_turn(uint64_t bytes) {
    const uint64_t second = 1000000000;
    struct timespec now, until;
    pthread_mutex_lock(&limits.lock);
    uint64_t cost = limits.iops > 0 ? second / limits.iops : 0;
    uint64_t transfer = limits.kib_per_second > 0 ? bytes * second / (limits.kib_per_second * 1024) : 0;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t at = (uint64_t)now.tv_sec * second + (uint64_t)now.tv_nsec;
    uint64_t turn = limits.free_at > at ? limits.free_at : at;
    limits.free_at = turn + (cost > transfer ? cost : transfer);
    pthread_mutex_unlock(&limits.lock);
    if (turn == at) return;
    until = (struct timespec){ .tv_sec = (time_t)(turn / second), .tv_nsec = (long)(turn % second) };
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) continue;
}

static void set_limits(uint64_t iops, uint64_t kib_per_second) {
    pthread_mutex_lock(&limits.lock);
    limits.iops = iops;
    limits.kib_per_second = kib_per_second;
    limits.free_at = 0;
    pthread_mutex_unlock(&limits.lock);
}

/* ---- the file system of one file ---- */

static void reply(uint64_t unique, int error, const void *body, size_t length) {
    struct fuse_out_header head = { .len = (uint32_t)(sizeof head + length), .error = -error, .unique = unique };
    struct iovec parts[] = { { &head, sizeof head }, { (void *)body, length } };
    /* ENOENT: the request was given up meanwhile; ENODEV: the device is gone. Nobody waits for the answer then. */
    if (writev(self.fuse, parts, length > 0 ? 2 : 1) < 0 && errno != ENOENT && errno != ENODEV) perror("scini: reply");
}

static void reply_init(uint64_t unique, const struct fuse_init_in *in) {
    struct fuse_init_out out = {
        .major = FUSE_KERNEL_VERSION,
        .minor = in->minor < FUSE_KERNEL_MINOR_VERSION ? in->minor : FUSE_KERNEL_MINOR_VERSION,
        .max_readahead = in->max_readahead,
        .flags = in->flags & (FUSE_ASYNC_READ | FUSE_BIG_WRITES | FUSE_MAX_PAGES),
        .max_background = 64,
        .congestion_threshold = 48,
        .max_write = MAX_WRITE,
        .time_gran = 1,
        .max_pages = MAX_WRITE / 4096,
    };
    reply(unique, 0, &out, sizeof out);
}

/*
 * The root and the file in it, whose name the kernel shows as what a loop device is made of: mkfs.btrfs takes devices of
 * one name for one device, and refuses to make a file system on what it then believes to be mounted.
 */
enum { ROOT_NODE = 1, FILE_NODE = 2 };

static bool attributes_of(uint64_t node, struct fuse_attr *attributes) {
    struct stat now;
    if (fstat(self.data, &now) < 0) return false;
    *attributes = (struct fuse_attr){ .ino = node, .mode = S_IFDIR | 0700, .nlink = 2, .blksize = 4096 };
    if (node == ROOT_NODE) return true;
    attributes->size = (uint64_t)now.st_size;
    attributes->blocks = (uint64_t)now.st_blocks;
    attributes->mode = S_IFREG | 0600;
    attributes->nlink = 1;
    return true;
}

static void reply_attributes(uint64_t unique, uint64_t node) {
    struct fuse_attr_out out = { 0 };
    if (!attributes_of(node, &out.attr)) return reply(unique, errno, NULL, 0);
    reply(unique, 0, &out, sizeof out);
}

static void reply_lookup(uint64_t unique, const char *name) {
    struct fuse_entry_out out = { .nodeid = FILE_NODE };
    if (strcmp(name, self.file_name) != 0) return reply(unique, ENOENT, NULL, 0);
    if (!attributes_of(FILE_NODE, &out.attr)) return reply(unique, errno, NULL, 0);
    reply(unique, 0, &out, sizeof out);
}

static void reply_read(uint64_t unique, const struct fuse_read_in *in, char *buffer) {
    ssize_t got = pread(self.data, buffer, in->size, (off_t)in->offset);
    reply(unique, got < 0 ? errno : 0, buffer, got < 0 ? 0 : (size_t)got);
}

static void reply_write(uint64_t unique, const struct fuse_write_in *in) {
    ssize_t put = pwrite(self.data, in + 1, in->size, (off_t)in->offset);
    struct fuse_write_out out = { .size = put < 0 ? 0 : (uint32_t)put };
    reply(unique, put < 0 ? errno : 0, &out, put < 0 ? 0 : sizeof out);
}

static void reply_fallocate(uint64_t unique, const struct fuse_fallocate_in *in) {
    int failed = fallocate(self.data, (int)in->mode, (off_t)in->offset, (off_t)in->length);
    reply(unique, failed ? errno : 0, NULL, 0);
}

static void reply_fsync(uint64_t unique) {
    int failed = fdatasync(self.data);
    reply(unique, failed ? errno : 0, NULL, 0);
}

static uint64_t bytes_of(const struct fuse_in_header *head, const void *body) {
    if (head->opcode == FUSE_READ) return ((const struct fuse_read_in *)body)->size;
    return head->opcode == FUSE_WRITE ? ((const struct fuse_write_in *)body)->size : 0;
}

static void reply_io(const struct fuse_in_header *head, const void *body, char *buffer) {
    wait_turn(bytes_of(head, body));
    pthread_rwlock_rdlock(&self.life);
    if (self.dead) {
        reply(head->unique, EIO, NULL, 0);
    } else if (head->opcode == FUSE_READ) {
        reply_read(head->unique, body, buffer);
    } else if (head->opcode == FUSE_WRITE) {
        reply_write(head->unique, body);
    } else if (head->opcode == FUSE_FSYNC) {
        reply_fsync(head->unique);
    } else {
        reply_fallocate(head->unique, body);
    }
    pthread_rwlock_unlock(&self.life);
}

static void serve_one(const struct fuse_in_header *head, char *buffer) {
    const void *body = head + 1;
    struct fuse_open_out opened = {
        .open_flags = FOPEN_DIRECT_IO | FOPEN_NOFLUSH
#ifdef FOPEN_PARALLEL_DIRECT_WRITES
                      | FOPEN_PARALLEL_DIRECT_WRITES
#endif
    };
    struct fuse_statfs_out space = { .st = { .bsize = 4096, .frsize = 4096, .namelen = 255 } };
    switch (head->opcode) {
    case FUSE_INIT: return reply_init(head->unique, body);
    case FUSE_LOOKUP: return reply_lookup(head->unique, body);
    case FUSE_GETATTR:
    case FUSE_SETATTR: return reply_attributes(head->unique, head->nodeid);
    case FUSE_OPEN: return reply(head->unique, 0, &opened, sizeof opened);
    case FUSE_STATFS: return reply(head->unique, 0, &space, sizeof space);
    case FUSE_READ:
    case FUSE_WRITE:
    case FUSE_FALLOCATE: return reply_io(head, body, buffer);
    case FUSE_RELEASE:
    case FUSE_DESTROY: return reply(head->unique, 0, NULL, 0);
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT: return;
    case FUSE_FSYNC:
        if (self.durable) return reply_io(head, body, buffer);
        /* What the array has answered is kept for as long as the machine is on. */
        return reply(head->unique, ENOSYS, NULL, 0);
    default: return reply(head->unique, ENOSYS, NULL, 0);
    }
}

static void *serve(void *unused) {
    (void)unused;
    char *request = malloc(MAX_WRITE + 65536), *buffer = malloc(MAX_WRITE);
    if (request == NULL || buffer == NULL) fail("no memory for requests");
    prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0); /* else reclaim could wait for the very writes that we serve */
    for (;;) {
        ssize_t length = read(self.fuse, request, MAX_WRITE + 65536);
        if (length >= (ssize_t)sizeof(struct fuse_in_header)) {
            serve_one((const struct fuse_in_header *)request, buffer);
        } else if (length < 0 && errno == ENODEV) {
            return NULL;
        } else if (length < 0 && errno != EINTR && errno != EAGAIN && errno != ENOENT) {
            fail("cannot read requests");
        }
    }
}

#ifndef FSCONFIG_SET_FLAG
#define FSCONFIG_SET_FLAG 0
#define FSCONFIG_SET_STRING 1
#define FSCONFIG_CMD_CREATE 6
#endif

static void configure(int context, const char *key, const char *value) {
    if (syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0) < 0) fail("cannot set fuse \"%s\"", key);
}

/* ---- the server process ---- */

/*
 * A mount namespace with nothing in it. The one we were born in is copied first, mounts of other volumes included,
 * which must not be kept busy from here; nothing may be unmounted before the copy is known to be ours alone.
 */
static void leave_mount_namespace(void) {
    if (unshare(CLONE_NEWNS) < 0) fail("cannot leave the mount namespace");
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) fail("cannot make mounts private");
    if (mount("none", "/proc", "tmpfs", 0, "size=4k") < 0) fail("cannot mount an empty root");
    if (chdir("/proc") < 0 || syscall(SYS_pivot_root, ".", ".") < 0) fail("cannot move to an empty root");
    if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0) fail("cannot leave the old root");
}

static void end_io(void) {
    pthread_rwlock_wrlock(&self.life);
    self.dead = true;
    pthread_rwlock_unlock(&self.life);
}

static void run_server(void) {
    char line[128];
    pthread_t thread;
    unsigned long iops, kib_per_second;
    bool first_namespace = in_first_pid_namespace();
    if (ftruncate(self.held, 0) < 0) fail("cannot write \"%s\"", self.held_path);
    dprintf(self.held, "%d\n", first_namespace ? (int)getpid() : 0);
    leave_mount_namespace();
    if (recv(self.link, line, sizeof line, 0) <= 0) _exit(1); /* there is nothing to read before the mount is made */
    for (int i = 0; i < THREADS; i++) {
        if ((errno = pthread_create(&thread, NULL, serve, NULL)) != 0) fail("cannot start a thread");
    }
    for (;;) {
        ssize_t length = recv(self.link, line, sizeof line - 1, 0);
        if (length < 0 && errno == EINTR) continue;
        if (length <= 0) break;
        line[length] = '\0';
        if (sscanf(line, "limits %lu %lu", &iops, &kib_per_second) != 2) break;
        set_limits(iops, kib_per_second);
    }
    end_io();
    unlinkat(self.fence_fd, strrchr(self.held_path, '/') + 1, 0);
    _exit(0);
}

static void start_server(void) {
    int pair[2];
    pid_t keeper = getpid();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) fail("cannot make a socket");
    self.server = fork();
    if (self.server < 0) fail("cannot start the server");
    if (self.server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != keeper) _exit(1);
        close(pair[0]);
        close(STDIN_FILENO); /* stdout stays open: it closes when both processes are gone */
        self.link = pair[1];
        run_server();
    }
    close(pair[1]);
    self.link = pair[0];
}

/* ---- the keeper process ---- */

/* A mount that is never attached to any directory: no host sees it, and it ends with its last open file. */
static void open_backing(void) {
    char text[64];
    int context = (int)syscall(SYS_fsopen, "fuse", 1 /* FSOPEN_CLOEXEC */);
    if (context < 0) fail("cannot open the fuse file system");
    snprintf(text, sizeof text, "%d", self.fuse);
    configure(context, "source", "scini");
    configure(context, "fd", text);
    configure(context, "rootmode", "40000");
    configure(context, "user_id", "0");
    configure(context, "group_id", "0");
    if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) fail("cannot create the fuse file system");
    int root = (int)syscall(SYS_fsmount, context, 1 /* FSMOUNT_CLOEXEC */, 0);
    if (root < 0) fail("cannot mount the fuse file system");
    close(self.fuse); /* from here on the server alone has it, and waiting for the server ends with it */
    send_line("serve");
    self.backing = openat(root, self.file_name, (self.read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (self.backing < 0) fail("cannot open the fuse file");
    close(root);
    close(context);
}

/* ---- the loop device ---- */

/*
 * Keeps the descriptor open for as long as we live, in a message that nobody receives: a real SDC serves its devices
 * from inside of the kernel, so whoever looks for users of the device must not find us among them.
 */
static void keep_unseen(int fd) {
    union { char room[CMSG_SPACE(sizeof(int))]; struct cmsghdr aligned; } control = { .room = { 0 } };
    char byte = 0;
    struct iovec data = { .iov_base = &byte, .iov_len = 1 };
    struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room };
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) < 0) fail("cannot make a socket pair");
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(rights), &fd, sizeof fd);
    if (sendmsg(ends[0], &message, 0) < 0) fail("cannot keep \"%s\" open", self.loop_path);
}

static bool try_loop(int control) {
    struct loop_config config = { .fd = (uint32_t)self.backing };
    int number = ioctl(control, LOOP_CTL_GET_FREE);
    if (number < 0) fail("cannot get a loop device");
    snprintf(self.loop_path, sizeof self.loop_path, "/dev/loop%d", number);
    int loop = open(self.loop_path, (self.read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (loop < 0) fail("cannot open \"%s\"", self.loop_path);
    /* Autoclear with our own open descriptor: the device is there while we live and leaves with its last user. */
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR | (self.read_only ? LO_FLAGS_READ_ONLY : 0);
    snprintf((char *)config.info.lo_file_name, LO_NAME_SIZE, "scini/%s/%s", self.guid, self.volume);
    bool is_set_up = ioctl(loop, LOOP_CONFIGURE, &config) == 0;
    if (!is_set_up && errno != EBUSY) fail("cannot set up \"%s\"", self.loop_path);
    if (is_set_up) keep_unseen(loop);
    close(loop);
    return is_set_up;
}

static void attach(void) {
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (control < 0) fail("cannot open \"/dev/loop-control\"");
    for (int i = 0; !try_loop(control); i++) {
        if (i == LOOP_TRIES) fail("cannot find a free loop device");
    }
    close(control);
}

static void rescan(void) {
    struct stat now;
    /* The stat makes the kernel ask us for the size again; older loop drivers only look at what it remembers. */
    int loop = open(self.loop_path, O_RDONLY | O_CLOEXEC);
    bool is_resized = loop >= 0 && fstat(self.backing, &now) == 0 && ioctl(loop, LOOP_SET_CAPACITY) == 0;
    if (!is_resized) fprintf(stderr, "scini: cannot resize \"%s\": %s\n", self.loop_path, strerror(errno));
    if (loop >= 0) close(loop);
    if (is_resized) say("resized");
}

/* ---- the end ---- */

/*
 * A real device writes its cached blocks out when its last user closes it, but here we are a user too. So that is
 * made up for, unless a file system is on the device: what that has not synced is lost with the mapping.
 */
static void write_out_unless_in_use(void) {
    int exclusive = open(self.loop_path, O_RDWR | O_EXCL | O_CLOEXEC);
    if (exclusive < 0) return;
    if (fsync(exclusive) < 0) perror("scini: write out");
    close(exclusive);
}

static void end(const char *how) {
    send_line("limits 0 0");
    if (how != NULL && !self.read_only) write_out_unless_in_use();
    send_line("end");
    waitpid(self.server, NULL, 0);
    if (how != NULL) say(how);
    _exit(0);
}

static void end_without_server(void) {
    unlink(self.held_path);
    say("lost");
    _exit(1);
}

static void obey_line(const char *line) {
    if (strcmp(line, "detach") == 0) end("detached");
    if (strcmp(line, "rescan") == 0) rescan();
    if (strncmp(line, "limits ", strlen("limits ")) == 0) send_line(line);
}

static void obey(void) {
    static char text[256];
    static size_t filled;
    ssize_t length = read(STDIN_FILENO, text + filled, sizeof text - 1 - filled);
    if (length <= 0) end(NULL);
    filled += (size_t)length;
    text[filled] = '\0';
    char *line = text;
    for (char *stop; (stop = strchr(line, '\n')) != NULL; line = stop + 1) {
        *stop = '\0';
        obey_line(line);
    }
    filled = strlen(line);
    memmove(text, line, filled + 1);
}

static void watch(void) {
    char events[4096];
    /* A user may have no more than 128 of these by default; without one, poll() passes over the -1. */
    int changes = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    struct pollfd waits[] = { { STDIN_FILENO, POLLIN, 0 }, { changes, POLLIN, 0 }, { self.link, POLLIN, 0 } };
    if (changes >= 0 && inotify_add_watch(changes, self.fence_dir, IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE) < 0) {
        fail("cannot watch \"%s\"", self.fence_dir);
    }
    for (;;) {
        if (!allowed()) end("fenced");
        if (poll(waits, 3, changes >= 0 ? POLL_MS : BLIND_POLL_MS) < 0 && errno != EINTR) fail("cannot wait");
        while (changes >= 0 && read(changes, events, sizeof events) > 0) continue;
        if (waits[2].revents != 0) end_without_server();
        if (waits[0].revents != 0) obey();
        waits[0].revents = waits[2].revents = 0;
    }
}

static char *absolute(const char *path) {
    char *found = realpath(path, NULL);
    if (found == NULL) fail("cannot find \"%s\"", path);
    return found;
}

static void parse(int count, char **values) {
    static const struct option options[] = {
        { "file", required_argument, NULL, 'f' },      { "volume", required_argument, NULL, 'v' },
        { "guid", required_argument, NULL, 'g' },      { "fence-dir", required_argument, NULL, 'd' },
        { "read-only", no_argument, NULL, 'r' },       { "durable", no_argument, NULL, 's' },
        { NULL, 0, NULL, 0 },
    };
    for (int option; (option = getopt_long(count, values, "", options, NULL)) != -1;) {
        switch (option) {
        case 'f': self.file = optarg; break;
        case 'v': self.volume = optarg; break;
        case 'g': self.guid = optarg; break;
        case 'd': self.fence_dir = optarg; break;
        case 'r': self.read_only = true; break;
        case 's': self.durable = true; break;
        default: exit(1);
        }
    }
    if (!self.file || !self.volume || !self.guid || !self.fence_dir) {
        fprintf(stderr, "scini: --file, --volume, --guid and --fence-dir are needed\n");
        exit(1);
    }
    self.file = absolute(self.file);
    self.fence_dir = absolute(self.fence_dir);
    snprintf(self.fence_path, sizeof self.fence_path, "%s/%s", self.fence_dir, self.volume);
    snprintf(self.file_name, sizeof self.file_name, "%s-%s", self.guid, self.volume);
    snprintf(self.held_path, sizeof self.held_path, "%s/%s.%s.held", self.fence_dir, self.volume, self.guid);
}

/* A mount of its own that shows what is at the path now; with what is mounted below it, if wanted. */
static int copy_of(const char *path, unsigned int below) {
    int tree = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | below);
    if (tree < 0) fail("cannot take \"%s\" along", path);
    return tree;
}

/* Puts it where it was, in the root that we are in the middle of making. */
static void put(int tree, const char *path) {
    char at[4096];
    snprintf(at, sizeof at, "%s", path);
    for (char *slash = strchr(at + 1, '/'); ; slash = strchr(slash + 1, '/')) {
        if (slash) *slash = 0;
        if (mkdir(at + 1, 0700) < 0 && errno != EEXIST) fail("cannot make \"%s\"", at);
        if (!slash) break;
        *slash = '/';
    }
    if (syscall(SYS_move_mount, tree, "", AT_FDCWD, at + 1, MOVE_MOUNT_F_EMPTY_PATH) < 0) fail("cannot show \"%s\"", path);
    close(tree);
}

/*
 * The last process of a mount namespace unmounts what is in it while it dies. When a whole host is killed that could be
 * us, and the file system's last writes would wait for us for ever; and what is mounted where we are keeps other volumes'
 * devices busy. So we live in a root of our own that shows nothing but what we need: mounts that another one hides could
 * not be found by their paths and unmounted.
 */
static void leave_host_mounts(void) {
    if (unshare(CLONE_NEWNS) < 0) fail("cannot leave the host's mount namespace");
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) fail("cannot make mounts private");
    char directory[4096];
    snprintf(directory, sizeof directory, "%s", self.file);
    *strrchr(directory, '/') = 0;
    int dev = copy_of("/dev", AT_RECURSIVE), proc = copy_of("/proc", 0);
    int volumes = copy_of(directory, 0), fences = copy_of(self.fence_dir, 0);
    if (mount("none", "/proc", "tmpfs", 0, "size=64k") < 0 || chdir("/proc") < 0) fail("cannot make a root of our own");
    put(dev, "/dev");
    put(proc, "/proc");
    put(volumes, directory);
    put(fences, self.fence_dir);
    if (syscall(SYS_pivot_root, ".", ".") < 0) fail("cannot move to a root of our own");
    if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0) fail("cannot leave the host's root");
}

int main(int count, char **values) {
    parse(count, values);
    leave_host_mounts();
    /* Whoever stops a whole host in order signals everybody; we must outlive the file systems on our device. */
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    self.fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (self.fuse < 0) fail("cannot open \"/dev/fuse\" (is the fuse module loaded?)");
    self.fence_fd = open(self.fence_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (self.fence_fd < 0) fail("cannot open \"%s\"", self.fence_dir);
    hold();
    if (!allowed()) {
        unlink(self.held_path);
        return EXIT_NOT_ALLOWED;
    }
    self.data = open(self.file, (self.read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (self.data < 0) fail("cannot open \"%s\"", self.file);
    start_server();
    open_backing();
    close(self.data);
    close(self.held);
    attach();
    printf("ready %s\n", self.loop_path + strlen("/dev/"));
    fflush(stdout);
    watch();
}
