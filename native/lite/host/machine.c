/* The machine and the process: names, clocks, signals, the end. */
#define _GNU_SOURCE
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "core/core.h"
#include "host.h"

extern char **environ;

static int64_t began_ns;
static bool is_clock_stopped;

void note_start(void)
{
	began_ns = plugd_monotonic_ns();
}

void stop_clock(void)
{
	is_clock_stopped = true;
	began_ns = 0;
}

static int64_t now_ns(void)
{
	return is_clock_stopped ? 0 : plugd_monotonic_ns();
}

static JSValue text(JSContext *ctx, const char *text)
{
	return JS_NewString(ctx, text);
}

HOST_FUNCTION(machine_release)
{
	struct utsname name;

	return text(ctx, uname(&name) == 0 ? name.release : "");
}

HOST_FUNCTION(machine_machine)
{
	struct utsname name;

	return text(ctx, uname(&name) == 0 ? name.machine : "");
}

HOST_FUNCTION(machine_working_folder)
{
	char path[PATH_MAX];

	return getcwd(path, sizeof(path)) ? text(ctx, path) : answer(ctx, -1);
}

HOST_FUNCTION(machine_environment)
{
	JSValue list = JS_NewArray(ctx);

	for (uint32_t i = 0; environ && environ[i]; i++)
		JS_SetPropertyUint32(ctx, list, i, text(ctx, environ[i]));
	return list;
}

HOST_FUNCTION(machine_user_id)
{
	return JS_NewInt64(ctx, geteuid());
}

HOST_FUNCTION(machine_process_id)
{
	return JS_NewInt32(ctx, getpid());
}

HOST_FUNCTION(machine_processors)
{
	cpu_set_t set;

	return JS_NewInt32(ctx, sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1);
}

HOST_FUNCTION(machine_monotonic_ns)
{
	return JS_NewBigInt64(ctx, now_ns());
}

HOST_FUNCTION(machine_uptime)
{
	return number(ctx, (double)(now_ns() - began_ns) / 1e9);
}

HOST_FUNCTION(machine_sleep)
{
	int64_t ms = wide(ctx, argv[0]);
	struct timespec left = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&left, &left) != 0 && errno == EINTR) {
	}
	return JS_UNDEFINED;
}

HOST_FUNCTION(machine_exit)
{
	_exit(integer(ctx, argv[0]));
}

HOST_FUNCTION(machine_kill)
{
	return answer(ctx, kill(integer(ctx, argv[0]), integer(ctx, argv[1])));
}

HOST_FUNCTION(machine_terminal_columns)
{
	struct winsize size = {0};
	int fd = integer(ctx, argv[0]);

	if (!isatty(fd))
		return JS_NewInt32(ctx, -ENOTTY);
	return JS_NewInt32(ctx, ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0);
}

static void tell_signal(int signal)
{
	const struct event event = {.kind = EVENT_SIGNAL, .result = signal};
	int before = errno;

	tell_loop(&event);
	errno = before;
}

HOST_FUNCTION(machine_watch_signal)
{
	struct sigaction action = {.sa_handler = JS_ToBool(ctx, argv[1]) ? tell_signal : SIG_DFL, .sa_flags = SA_RESTART};

	sigaction(integer(ctx, argv[0]), &action, NULL);
	return JS_UNDEFINED;
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("release", 0, machine_release),
	JS_CFUNC_DEF("machine", 0, machine_machine),
	JS_CFUNC_DEF("workingFolder", 0, machine_working_folder),
	JS_CFUNC_DEF("environment", 0, machine_environment),
	JS_CFUNC_DEF("userId", 0, machine_user_id),
	JS_CFUNC_DEF("processId", 0, machine_process_id),
	JS_CFUNC_DEF("processors", 0, machine_processors),
	JS_CFUNC_DEF("monotonicNs", 0, machine_monotonic_ns),
	JS_CFUNC_DEF("uptime", 0, machine_uptime),
	JS_CFUNC_DEF("sleep", 1, machine_sleep),
	JS_CFUNC_DEF("exit", 1, machine_exit),
	JS_CFUNC_DEF("kill", 2, machine_kill),
	JS_CFUNC_DEF("terminalColumns", 1, machine_terminal_columns),
	JS_CFUNC_DEF("watchSignal", 2, machine_watch_signal),
};
const struct host_part host_machine = {functions, sizeof(functions) / sizeof(*functions)};
