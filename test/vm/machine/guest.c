/*
 * The first process of the test machine. It makes a bare machine usable (proc, sysfs, dev), then runs programs for the
 * test outside, which talks to it over the second serial port: unlike virtio-serial that port's driver is built into
 * Debian's kernel, so nothing need be loaded before the thing under test loads it. The kernel's command line may name another port:
 * plugd_port=ttyS2.
 *
 * Frames, both ways: one byte kind, four bytes id, four bytes length (little-endian), then that many bytes.
 *   to the guest, each answered by 'a' (the port has no flow control, so the test sends the next only then):
 *     'b'  body: bytes appended to the request being put together
 *     'r'  run the request: strings ended by NUL: flags, milliseconds allowed, folder, number of arguments, arguments,
 *          number of variables, NAME=value, then the bytes of standard input
 *     'k'  signal the program `id`: the signal's number in decimal
 *   from the guest:
 *     'R'  ready: nanoseconds of CLOCK_MONOTONIC since the kernel started
 *     'o' 'e'  bytes of standard output and error: as they come with flag 'l' (live) or 't' (on a terminal of 80 columns), else
 *          when the program has ended, so that sending them costs a measured program nothing
 *     'x'  ended: exit status or -signal, wall nanoseconds from before exec to the exit, user and system microseconds,
 *          peak resident KiB, 1 if it was killed for its time
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

struct bytes {
	char *data;
	size_t length, room;
};

static void append(struct bytes *to, const void *data, size_t length)
{
	if (to->length + length > to->room) {
		to->room = (to->length + length) * 2 + 4096;
		to->data = realloc(to->data, to->room);
		if (!to->data) {
			fprintf(stderr, "guest: out of memory\n");
			exit(1);
		}
	}
	memcpy(to->data + to->length, data, length);
	to->length += length;
}

struct program {
	struct program *next;
	uint32_t id;
	pid_t pid;
	int input, output, error, live, timed_out;
	struct bytes to_input, from_output, from_error;
	size_t input_sent;
	int64_t started, deadline;
};

static int port;
static struct bytes outgoing;
static size_t outgoing_sent;
static struct program *programs;

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void send_frame(char kind, uint32_t id, const void *data, size_t length)
{
	uint32_t size = length;
	append(&outgoing, &kind, 1);
	append(&outgoing, &id, 4);
	append(&outgoing, &size, 4);
	append(&outgoing, data, length);
}

static void flush_port(void)
{
	while (outgoing_sent < outgoing.length) {
		ssize_t n = write(port, outgoing.data + outgoing_sent, outgoing.length - outgoing_sent);
		if (n <= 0)
			return;
		outgoing_sent += n;
	}
	outgoing.length = outgoing_sent = 0;
}

static void mount_one(const char *type, const char *where, unsigned long flags, const char *options)
{
	mkdir(where, 0755);
	if (mount(type, where, type, flags, options) && errno != EBUSY)
		fprintf(stderr, "guest: mounting %s: %s\n", where, strerror(errno));
}

/* Whether an initramfs has moved a file system of its own here. */
static int is_mounted(const char *where)
{
	struct stat here, above;

	return stat(where, &here) == 0 && stat("/", &above) == 0 && here.st_dev != above.st_dev;
}

static void prepare_machine(void)
{
	mount_one("devtmpfs", "/dev", MS_NOSUID, "mode=0755");
	mount_one("proc", "/proc", 0, NULL);
	mount_one("sysfs", "/sys", 0, NULL);
	if (!is_mounted("/run"))
		mount_one("tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=0755");
	mount_one("tmpfs", "/tmp", MS_NOSUID | MS_NODEV, NULL);
	mount_one("devpts", "/dev/pts", 0, "mode=0620,ptmxmode=0666");
	mount_one("tmpfs", "/dev/shm", 0, NULL);
	mount_one("debugfs", "/sys/kernel/debug", 0, NULL);
	symlink("/proc/self/fd", "/dev/fd");
	symlink("/proc/self/fd/0", "/dev/stdin");
	symlink("/proc/self/fd/1", "/dev/stdout");
	symlink("/proc/self/fd/2", "/dev/stderr");

	struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ioctl(s, SIOCSIFFLAGS, &loopback);
	close(s);

	setenv("PATH", "/usr/sbin:/usr/bin", 1);
	setenv("HOME", "/root", 1);
	setenv("TERM", "linux", 1);
	setenv("LANG", "C.UTF-8", 1);
}

static void open_port(void)
{
	struct termios raw;
	char path[64];
	const char *name = getenv("plugd_port");
	snprintf(path, sizeof path, "/dev/%s", name ? name : "ttyS1");
	port = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (port < 0) {
		fprintf(stderr, "guest: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	tcgetattr(port, &raw);
	cfmakeraw(&raw);
	raw.c_cflag |= CLOCAL | CREAD;
	cfsetspeed(&raw, B115200);
	tcsetattr(port, TCSANOW, &raw);
}

/* The next NUL-ended string of a request, or "" at its end. */
static char *take(struct bytes *request, size_t *at)
{
	char *text = request->data + *at;
	size_t length = *at < request->length ? strnlen(text, request->length - *at) : 0;
	if (*at + length >= request->length)
		return "";
	*at += length + 1;
	return text;
}

static void run(uint32_t id, struct bytes *request)
{
	struct program *p = calloc(1, sizeof *p);
	size_t at = 0;
	const char *flags = take(request, &at);
	int64_t allowed = atoll(take(request, &at));
	const char *folder = take(request, &at);
	int in[2], out[2], err[2], master = -1, slave = -1, i;
	int arguments = atoi(take(request, &at));
	char **argv = calloc(arguments + 1, sizeof *argv);
	for (i = 0; i < arguments; i++)
		argv[i] = take(request, &at);
	int variables = atoi(take(request, &at));
	char **env = calloc(variables + 1, sizeof *env);
	for (i = 0; i < variables; i++)
		env[i] = take(request, &at);

	p->id = id;
	p->live = strchr(flags, 'l') || strchr(flags, 't');
	append(&p->to_input, request->data + at, request->length - at);
	pipe2(in, O_CLOEXEC);
	if (strchr(flags, 't')) {
		struct winsize size = {.ws_row = 24, .ws_col = 80};
		openpty(&master, &slave, NULL, NULL, &size);
		fcntl(master, F_SETFD, FD_CLOEXEC);
		out[0] = master;
		out[1] = slave;
		pipe2(err, O_CLOEXEC);
	} else {
		pipe2(out, O_CLOEXEC);
		pipe2(err, O_CLOEXEC);
	}
	fcntl(in[1], F_SETFL, O_NONBLOCK);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	/* A program that writes much must not wait for its pipe while it is measured. */
	fcntl(out[0], F_SETPIPE_SZ, 1 << 20);
	fcntl(err[0], F_SETPIPE_SZ, 1 << 20);

	p->started = now();
	p->deadline = p->started + allowed * 1000000;
	p->pid = fork();
	if (p->pid == 0) {
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		setsid();
		dup2(slave >= 0 ? slave : in[0], 0);
		dup2(out[1], 1);
		dup2(slave >= 0 ? slave : err[1], 2);
		if (slave >= 0)
			ioctl(0, TIOCSCTTY, 0);
		for (i = 0; i < variables; i++)
			putenv(env[i]);
		if (chdir(folder) == 0)
			execvp(argv[0], argv);
		dprintf(2, "guest: %s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	free(argv);
	free(env);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	p->input = in[1];
	p->output = out[0];
	p->error = err[0];
	p->next = programs;
	programs = p;
}

/* Reads what is there; closes at the end. */
static void drain(struct program *p, int *fd, char kind, struct bytes *into)
{
	static char chunk[1 << 16];
	ssize_t n;
	while (*fd >= 0 && (n = read(*fd, chunk, sizeof chunk)) != 0) {
		if (n < 0) {
			if (errno == EAGAIN || errno == EINTR)
				return;
			break;
		}
		if (p->live)
			send_frame(kind, p->id, chunk, n);
		else
			append(into, chunk, n);
	}
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void feed(struct program *p)
{
	while (p->input >= 0 && p->input_sent < p->to_input.length) {
		ssize_t n = write(p->input, p->to_input.data + p->input_sent, p->to_input.length - p->input_sent);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			break;
		p->input_sent += n;
	}
	if (p->input >= 0)
		close(p->input);
	p->input = -1;
}

static void ended(struct program *p, int status, const struct rusage *use, int64_t at)
{
	char text[200];
	drain(p, &p->output, 'o', &p->from_output);
	drain(p, &p->error, 'e', &p->from_error);
	if (p->from_output.length)
		send_frame('o', p->id, p->from_output.data, p->from_output.length);
	if (p->from_error.length)
		send_frame('e', p->id, p->from_error.data, p->from_error.length);
	int length = snprintf(text, sizeof text, "%d %lld %lld %lld %ld %d",
			      WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status), (long long)(at - p->started),
			      use->ru_utime.tv_sec * 1000000LL + use->ru_utime.tv_usec,
			      use->ru_stime.tv_sec * 1000000LL + use->ru_stime.tv_usec, use->ru_maxrss, p->timed_out);
	send_frame('x', p->id, text, length);
	struct program **link = &programs;
	while (*link != p)
		link = &(*link)->next;
	*link = p->next;
	if (p->input >= 0)
		close(p->input);
	if (p->output >= 0)
		close(p->output);
	if (p->error >= 0)
		close(p->error);
	free(p->to_input.data);
	free(p->from_output.data);
	free(p->from_error.data);
	free(p);
}

/* As the first process this one also inherits and reaps what daemons leave behind. */
static void reap(void)
{
	struct rusage use;
	int status;
	pid_t pid;
	while ((pid = wait4(-1, &status, WNOHANG, &use)) > 0) {
		int64_t at = now();
		for (struct program *p = programs, *next; p; p = next) {
			next = p->next;
			if (p->pid == pid)
				ended(p, status, &use, at);
		}
	}
}

static void handle(char kind, uint32_t id, const char *data, size_t length)
{
	static struct bytes request;
	if (kind == 'b' || kind == 'r')
		append(&request, data, length);
	if (kind == 'r') {
		run(id, &request);
		request.length = 0;
	}
	if (kind == 'k') {
		char number[16] = {0};
		memcpy(number, data, length < 15 ? length : 15);
		for (struct program *p = programs; p; p = p->next)
			if (p->id == id)
				kill(p->pid, atoi(number));
	}
	send_frame('a', id, "", 0);
}

static void read_port(void)
{
	static struct bytes incoming;
	char chunk[4096];
	ssize_t n;
	while ((n = read(port, chunk, sizeof chunk)) > 0)
		append(&incoming, chunk, n);
	size_t at = 0;
	while (incoming.length - at >= 9) {
		uint32_t id, length;
		memcpy(&id, incoming.data + at + 1, 4);
		memcpy(&length, incoming.data + at + 5, 4);
		if (incoming.length - at - 9 < length)
			break;
		handle(incoming.data[at], id, incoming.data + at + 9, length);
		at += 9 + length;
	}
	memmove(incoming.data, incoming.data + at, incoming.length - at);
	incoming.length -= at;
}

int main(void)
{
	char text[32];
	sigset_t children;
	prepare_machine();
	open_port();
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_BLOCK, &children, NULL);
	int signals = signalfd(-1, &children, SFD_NONBLOCK | SFD_CLOEXEC);
	send_frame('R', 0, text, snprintf(text, sizeof text, "%lld", (long long)now()));

	for (;;) {
		struct pollfd watched[256];
		int count = 0, wait = -1;
		flush_port();
		watched[count++] = (struct pollfd){.fd = signals, .events = POLLIN};
		watched[count++] = (struct pollfd){
			.fd = port, .events = outgoing_sent < outgoing.length ? POLLIN | POLLOUT : POLLIN};
		for (struct program *p = programs; p && count < 250; p = p->next) {
			watched[count++] = (struct pollfd){.fd = p->output, .events = POLLIN};
			watched[count++] = (struct pollfd){.fd = p->error, .events = POLLIN};
			watched[count++] = (struct pollfd){.fd = p->input, .events = POLLOUT};
			int64_t left = (p->deadline - now()) / 1000000 + 1;
			if (!p->timed_out && (wait < 0 || left < wait))
				wait = left < 0 ? 0 : left > 60000 ? 60000 : left;
		}
		poll(watched, count, wait);
		/* First the children that ended, so that the time taken is the time of their end. */
		struct signalfd_siginfo ignored;
		while (read(signals, &ignored, sizeof ignored) > 0)
			;
		reap();
		read_port();
		int64_t at = now();
		for (struct program *p = programs; p; p = p->next) {
			feed(p);
			drain(p, &p->output, 'o', &p->from_output);
			drain(p, &p->error, 'e', &p->from_error);
			if (at > p->deadline && !p->timed_out) {
				p->timed_out = 1;
				kill(-p->pid, SIGKILL);
			}
		}
	}
}
