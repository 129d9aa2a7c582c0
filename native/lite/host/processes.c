/* Other programs: started beside this one, or run as a filter. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

struct child {
	pid_t pid;
	uint64_t id;
};

static void *wait_for(void *data)
{
	struct child *child = data;
	struct event event = {.kind = EVENT_EXIT, .id = child->id};
	int status = 0;

	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
	}
	event.result = status;
	free(child);
	tell_loop(&event);
	return NULL;
}

/* Signals have their defaults in a program that is started, and none is blocked. */
static int start(pid_t *pid, const char *file, char **words, char **environment, posix_spawn_file_actions_t *actions)
{
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	int error;

	sigemptyset(&none);
	sigfillset(&defaults);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	error = posix_spawnp(pid, file, actions, &attributes, words, environment);
	posix_spawnattr_destroy(&attributes);
	return error;
}

static void hand_over(JSContext *ctx, JSValueConst list, posix_spawn_file_actions_t *actions)
{
	for (int fd = 0; fd < 3; fd++) {
		JSValue what = JS_GetPropertyUint32(ctx, list, (uint32_t)fd);

		if (!JS_IsNumber(what))
			posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0);
		else
			posix_spawn_file_actions_adddup2(actions, integer(ctx, what), fd);
		JS_FreeValue(ctx, what);
	}
}

HOST_FUNCTION(processes_spawn)
{
	const char *file = JS_ToCString(ctx, argv[0]);
	char **words = words_of(ctx, argv[1], file), **environment = words_of(ctx, argv[2], NULL);
	struct child *child = calloc(1, sizeof(*child));
	posix_spawn_file_actions_t actions;
	pthread_t thread;
	pid_t pid = 0;
	int error;

	posix_spawn_file_actions_init(&actions);
	hand_over(ctx, argv[3], &actions);
	error = child ? start(&pid, file, words, environment, &actions) : ENOMEM;
	posix_spawn_file_actions_destroy(&actions);
	JS_FreeCString(ctx, file);
	free_words(words);
	free_words(environment);
	if (error != 0) {
		free(child);
		return JS_NewInt32(ctx, -error);
	}
	child->pid = pid;
	child->id = expect_event(ctx, argv[4]);
	if (pthread_create(&thread, NULL, wait_for, child) == 0)
		pthread_detach(thread);
	else
		wait_for(child); /* nothing else happens meanwhile, as under modprobe */
	return JS_NewInt32(ctx, pid);
}

/* Feeds `input` and gathers output until both ends are done; -ENOBUFS over `most` bytes. */
static int exchange(int in, int out, const uint8_t *input, size_t input_size, size_t most, uint8_t **output,
		    size_t *output_size)
{
	size_t sent = 0, capacity = 0;

	fcntl(in, F_SETFL, O_NONBLOCK);
	for (;;) {
		struct pollfd polled[2] = {{out, POLLIN, 0}, {in, POLLOUT, 0}};
		ssize_t got;

		if (poll(polled, in < 0 ? 1 : 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (in >= 0 && polled[1].revents) {
			ssize_t put = write(in, input + sent, input_size - sent);

			if (put > 0)
				sent += (size_t)put;
			/* EPIPE alone only says that the program stopped reading. */
			if (sent == input_size || (put < 0 && errno != EAGAIN && errno != EINTR)) {
				close(in);
				in = -1;
			}
		}
		if (!polled[0].revents)
			continue;
		if (*output_size == capacity) {
			uint8_t *grown = realloc(*output, capacity = capacity * 2 + 65536);

			if (!grown)
				return -ENOMEM;
			*output = grown;
		}
		got = read(out, *output + *output_size, capacity - *output_size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		*output_size += (size_t)got;
		if (*output_size > most)
			return -ENOBUFS;
	}
	if (in >= 0)
		close(in);
	return 0;
}

HOST_FUNCTION(processes_filter)
{
	const char *file = JS_ToCString(ctx, argv[0]);
	char **words = words_of(ctx, argv[1], file), **environment = words_of(ctx, argv[2], NULL);
	size_t input_size = 0, output_size = 0;
	const uint8_t *input = bytes_of(ctx, argv[3], &input_size);
	uint8_t *output = malloc(1);
	posix_spawn_file_actions_t actions;
	int in[2], out[2], status = 0, error, problem;
	pid_t pid = 0;
	JSValue answer_;

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		return answer(ctx, -1);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	error = start(&pid, file, words, environment, &actions);
	posix_spawn_file_actions_destroy(&actions);
	JS_FreeCString(ctx, file);
	free_words(words);
	free_words(environment);
	close(in[0]);
	close(out[1]);
	if (error != 0) {
		close(in[1]);
		close(out[0]);
		free(output);
		return JS_NewInt32(ctx, -error);
	}
	problem = exchange(in[1], out[0], input, input_size, (size_t)wide(ctx, argv[4]), &output, &output_size);
	close(out[0]);
	if (problem != 0)
		kill(pid, SIGTERM);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	answer_ = JS_NewArray(ctx);
	JS_SetPropertyUint32(ctx, answer_, 0, owned_bytes(ctx, output, output_size));
	JS_SetPropertyUint32(ctx, answer_, 1, JS_NewInt32(ctx, status));
	JS_SetPropertyUint32(ctx, answer_, 2, JS_NewInt32(ctx, problem));
	return answer_;
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("spawn", 5, processes_spawn),
	JS_CFUNC_DEF("filter", 5, processes_filter),
};
const struct host_part host_processes = {functions, sizeof(functions) / sizeof(*functions)};
