#ifndef PLUGD_HOST_H
#define PLUGD_HOST_H
/* What the parts of the host share. ../host.ts documents each function that JavaScript calls. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/core.h"
#include "engine.h"

/* A function of the host; `argv` has as many values as its row says. */
#define HOST_FUNCTION(name) static JSValue name(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)

/* The functions of each part, ended by its count; main.c puts them into one object. */
struct host_part {
	const JSCFunctionListEntry *functions;
	int count;
};
extern const struct host_part host_text, host_files, host_names, host_machine, host_processes, host_calls, host_devices,
	host_sockets, host_decompression;

static inline JSValue number(JSContext *ctx, double value)
{
	return JS_NewFloat64(ctx, value);
}

/* 0 or the value of a system call that said -1 and set errno. */
static inline JSValue answer(JSContext *ctx, int64_t value)
{
	return JS_NewInt64(ctx, value < 0 ? -errno : value);
}

static inline int integer(JSContext *ctx, JSValueConst value)
{
	int32_t result = 0;

	JS_ToInt32(ctx, &result, value);
	return result;
}

static inline int64_t wide(JSContext *ctx, JSValueConst value)
{
	int64_t result = 0;

	JS_ToInt64(ctx, &result, value);
	return result;
}

/* text.c: a path from text (UTF-8) or bytes: 0, -ENAMETOOLONG, or -EIO for one with a NUL, as Node's own error leads to. */
int path_of(JSContext *ctx, JSValueConst value, char path[PATH_MAX]);
/* The bytes of a typed array; NULL for anything else. */
uint8_t *bytes_of(JSContext *ctx, JSValueConst value, size_t *size);
/* An ArrayBuffer that takes over `bytes`, from malloc. */
JSValue owned_bytes(JSContext *ctx, uint8_t *bytes, size_t size);
/* A list of words as a NULL-terminated array; free_words frees it. */
char **words_of(JSContext *ctx, JSValueConst list, const char *first);
void free_words(char **words);

/* loop.c */
enum event_kind { EVENT_CALL, EVENT_EXIT, EVENT_SIGNAL, EVENT_TEXT };

/* What other threads and signal handlers tell the loop; smaller than PIPE_BUF, so written at once. */
struct event {
	enum event_kind kind;
	uint64_t id;
	int64_t result;
	int64_t started_ns;
	int64_t ended_ns;
	struct plugd_text text; /* the loop frees it */
};

/* Tells the loop; from any thread or signal handler. */
void tell_loop(const struct event *event);
/* A number for `done`, which the loop calls once with what an event of that number says; it keeps the program alive. */
uint64_t expect_event(JSContext *ctx, JSValueConst done);
/* Calls `ready` (from the loop) whenever `fd` can be read, until unwatch_fd. */
typedef void ready_function(JSContext *ctx, int fd, void *data);
bool watch_fd(int fd, ready_function *ready, void *data, bool is_held);
/* Its data, NULL if it was not watched. */
void *unwatch_fd(int fd);
/* Calls a function of JavaScript's as from the event loop, and frees the values. */
void call_back(JSContext *ctx, JSValueConst work, int count, JSValue *values);
/* Until nothing keeps the program alive. */
void run_loop(JSContext *ctx);
/* Runs what promises wait for. */
void run_jobs(JSContext *ctx);
/* The exception that is pending, in words, and the end. */
_Noreturn void give_up(JSContext *ctx);

/* heap/heap.c */
/* While true, every ArrayBuffer lies in the heap, so that the heap can be copied. */
extern bool is_warming;

/* machine.c: the moment of the process's start. */
void note_start(void);
/* It is 0 from now on: what is done in turns while a heap is made for a copy must not depend on the machine's speed. */
void stop_clock(void);

#endif
