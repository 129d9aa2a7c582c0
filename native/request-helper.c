/*
 * plugd-request: the program that the kernel runs as /proc/sys/kernel/modprobe while `plugd agent --serve-kernel-requests` runs.
 *
 *     plugd-request [--control SOCKET] -q -- NAME
 *
 * It passes NAME to the agent's control socket and exits with the agent's answer, in a tenth of the time that modprobe takes to
 * start. The kernel must never be left without a modprobe. So if anything goes wrong (no agent, no answer in time, other
 * arguments), this program becomes the real modprobe, with the same arguments: the one that the agent found in
 * /proc/sys/kernel/modprobe (the link `modprobe` beside the socket), else the first of the usual places.
 *
 * Protocol (docs/control-socket.md), one JSON object per line:
 *
 *     → {"command":"request","arguments":["-q","--","net-pf-16-proto-9"]}
 *     ← {"working":true}            at once, and every 10 s while a module's init runs
 *     ← {"answer":{"exit":0}}       the exit status for the kernel
 *
 * Freestanding on machines that the code knows (x86-64, arm64): a C library costs 300 us at each start, three times the rest of
 * this program's work. Elsewhere it is an ordinary C program.
 */
#include <asm/unistd.h>

#define TIMEOUT_S 3  /* for the first line; the agent sends it from its event loop, before it looks anything up */
#define SILENCE_S 35 /* for each line after that */
#define LONGEST 4096 /* bytes of NAME; the kernel's own limit for a module name is 64 */

#if defined(__x86_64__) && !defined(WITH_LIBC)
static long call(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
__asm__(".globl _start\n_start:\n\txor %ebp,%ebp\n\tmov %rsp,%rdi\n\tand $-16,%rsp\n\tcall begin\n\thlt\n");
#define FREESTANDING 1
#elif defined(__aarch64__) && !defined(WITH_LIBC)
static long call(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;
	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}
__asm__(".globl _start\n_start:\n\tmov x29,#0\n\tmov x30,#0\n\tmov x0,sp\n\tbl begin\n\tbrk #0\n");
#define FREESTANDING 1
#else
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
static long call(long number, long a, long b, long c, long d, long e, long f)
{
	long result = syscall(number, a, b, c, d, e, f);
	return result < 0 ? -errno : result;
}
#endif

#ifdef FREESTANDING
/* As in asm-generic, which both machines use. */
#define AF_UNIX 1
#define SOCK_STREAM 1
#define SOCK_CLOEXEC 02000000
#define SOL_SOCKET 1
#define SO_SNDTIMEO 21
#define SO_RCVTIMEO 20
#define MSG_NOSIGNAL 0x4000
#endif

struct address {
	unsigned short family;
	char path[108];
};

static struct address address = {AF_UNIX, "/run/plugd/control"};
static char fallback[sizeof address.path + 16];
static char line[LONGEST * 6 + 128];

static long length_of(const char *text)
{
	long n = 0;
	while (text[n])
		n++;
	return n;
}

static int same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static int begins(const char *text, const char *start)
{
	while (*start)
		if (*text++ != *start++)
			return 0;
	return 1;
}

static char *append(char *to, const char *text)
{
	while (*text)
		*to++ = *text++;
	*to = 0;
	return to;
}

/* A machine's bytes as a JSON string: one character per byte, as everywhere in plugd. */
static char *append_json(char *to, const char *text)
{
	static const char digits[] = "0123456789abcdef";
	for (; *text; text++) {
		unsigned char c = *text;
		if (c < 0x20 || c > 0x7e || c == '"' || c == '\\') {
			to = append(to, "\\u00");
			*to++ = digits[c >> 4];
			*to++ = digits[c & 15];
		} else {
			*to++ = c;
		}
	}
	*to = 0;
	return to;
}

static void allow(long fd, int which, long seconds)
{
	struct {
		long seconds, microseconds;
	} time = {seconds, 0};
	call(__NR_setsockopt, fd, SOL_SOCKET, which, (long)&time, sizeof time, 0);
}

/* The value of `"exit":` in a line; -1 for an answer without one, -2 for a line that is not the answer. */
static int status_in(const char *text)
{
	if (!begins(text, "{\"working\"")) {
		for (; *text; text++)
			if (begins(text, "\"exit\":"))
				return text[7] >= '0' && text[7] <= '9' ? text[7] - '0' : -1;
		return -1;
	}
	return -2;
}

/* The agent's answer for NAME, or -1. */
static int ask(const char *name)
{
	long fd = call(__NR_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, 0, 0, 0);
	if (fd < 0)
		return -1;
	/* Also limits connect(2), which waits when the agent accepts no connection. */
	allow(fd, SO_SNDTIMEO, TIMEOUT_S);
	allow(fd, SO_RCVTIMEO, TIMEOUT_S);
	if (call(__NR_connect, fd, (long)&address, sizeof address, 0, 0, 0) < 0)
		return -1;
	char *end = append(line, "{\"command\":\"request\",\"arguments\":[\"-q\",\"--\",\"");
	end = append(append_json(end, name), "\"]}\n");
	for (char *at = line; at < end;) {
		long sent = call(__NR_sendto, fd, (long)at, end - at, MSG_NOSIGNAL, 0, 0);
		if (sent <= 0)
			return -1;
		at += sent;
	}
	for (long filled = 0;;) {
		long got = call(__NR_recvfrom, fd, (long)(line + filled), sizeof line - 1 - filled, 0, 0, 0);
		if (got <= 0)
			return -1;
		allow(fd, SO_RCVTIMEO, SILENCE_S);
		filled += got;
		line[filled] = 0;
		long from = 0;
		for (long i = 0; i < filled; i++) {
			if (line[i] != '\n')
				continue;
			line[i] = 0;
			int status = status_in(line + from);
			if (status != -2)
				return status;
			from = i + 1;
		}
		for (long i = from; i < filled; i++)
			line[i - from] = line[i];
		filled -= from;
		if (filled == (long)sizeof line - 1)
			return -1;
	}
}

static int run(long argc, char **argv, char **environment)
{
	/* If the real modprobe were this program again, they would call each other forever. */
	static const char mark[] = "PLUGD_REQUEST=fallback";
	static char *variables[64], *words[64];
	int count = 0;
	for (; environment[count] && count < 62; count++) {
		if (same(environment[count], mark))
			return 127;
		variables[count] = environment[count];
	}
	variables[count] = (char *)mark;

	if (argc > 2 && same(argv[1], "--control") && length_of(argv[2]) < (long)sizeof address.path) {
		append(address.path, argv[2]);
		argv += 2, argc -= 2;
	}
	if (argc == 4 && same(argv[1], "-q") && same(argv[2], "--") && length_of(argv[3]) <= LONGEST) {
		int status = ask(argv[3]);
		if (status >= 0)
			return status;
	}

	/* kmod's single program looks at argv[0] to choose the command. */
	words[0] = "modprobe";
	for (long i = 1; i < argc && i < 63; i++)
		words[i] = argv[i];
	append(fallback, address.path);
	long slash = length_of(fallback);
	while (slash > 0 && fallback[slash - 1] != '/')
		slash--;
	append(fallback + slash, "modprobe");
	static const char *const places[] = {fallback, "/sbin/modprobe", "/usr/sbin/modprobe", "/bin/modprobe",
					     "/usr/bin/modprobe"};
	/* The link leads to /dev/null where kernel.modprobe was empty: then nothing is to run. */
	long error = 0;
	for (unsigned i = 0; i < sizeof places / sizeof *places && error != -13 /* EACCES */; i++)
		error = call(__NR_execve, (long)places[i], (long)words, (long)variables, 0, 0, 0);
	return 127;
}

#ifdef FREESTANDING
__attribute__((used, noreturn)) void begin(long *stack)
{
	char **argv = (char **)(stack + 1);
	call(__NR_exit_group, run(*stack, argv, argv + *stack + 1), 0, 0, 0, 0, 0);
	__builtin_unreachable();
}
#else
int main(int argc, char **argv, char **environment)
{
	return run(argc, argv, environment);
}
#endif
