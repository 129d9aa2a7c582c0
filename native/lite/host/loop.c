/* The event loop: timers and immediates of JavaScript's, descriptors, and what other threads and signals tell through a pipe. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

#define MOST_WATCHED 1024
#define IDLE_FOREVER -1
#define IDLE_UNHELD -2

struct watched {
	int fd;
	ready_function *ready;
	void *data;
	bool is_held;
};

static struct watched watched[MOST_WATCHED];
static int watched_count;

struct expected {
	struct expected *next;
	uint64_t id;
	JSValue done;
};

static struct expected *expected;
static uint64_t last_id;
/* Read end and write end; -1 until something needs it. */
static int events[2] = {-1, -1};

static void open_events(void)
{
	if (events[0] < 0 && pipe2(events, O_CLOEXEC | O_NONBLOCK) == 0)
		fcntl(events[1], F_SETFL, 0); /* threads wait for room */
}

void tell_loop(const struct event *event)
{
	while (write(events[1], event, sizeof(*event)) < 0 && errno == EINTR) {
	}
}

uint64_t expect_event(JSContext *ctx, JSValueConst done)
{
	struct expected *one = malloc(sizeof(*one));

	if (!one)
		return 0;
	open_events();
	*one = (struct expected){expected, ++last_id, JS_DupValue(ctx, done)};
	expected = one;
	return one->id;
}

bool watch_fd(int fd, ready_function *ready, void *data, bool is_held)
{
	if (watched_count == MOST_WATCHED)
		return false;
	watched[watched_count++] = (struct watched){fd, ready, data, is_held};
	return true;
}

void *unwatch_fd(int fd)
{
	for (int i = 0; i < watched_count; i++) {
		void *data = watched[i].data;

		if (watched[i].fd != fd)
			continue;
		watched[i] = watched[--watched_count];
		return data;
	}
	return NULL;
}

_Noreturn void give_up(JSContext *ctx)
{
	JSValue exception = JS_GetException(ctx);
	JSValue stack = JS_GetPropertyStr(ctx, exception, "stack");
	const char *texts[] = {"plugd-lite: ", JS_ToCString(ctx, exception), "\n", JS_ToCString(ctx, stack)};

	for (unsigned i = 0; i < 4; i++) {
		if (texts[i] && write(2, texts[i], strlen(texts[i])) < 0)
			break;
	}
	_exit(70);
}

static JSValue call_global(JSContext *ctx, const char *name, int count, JSValueConst *values)
{
	JSValue global = JS_GetGlobalObject(ctx), function = JS_GetPropertyStr(ctx, global, name);
	JSValue result = JS_Call(ctx, function, JS_UNDEFINED, count, values);

	if (JS_IsException(result))
		give_up(ctx);
	JS_FreeValue(ctx, function);
	JS_FreeValue(ctx, global);
	return result;
}

void run_jobs(JSContext *ctx)
{
	JSContext *job;
	int ran;

	while ((ran = JS_ExecutePendingJob(JS_GetRuntime(ctx), &job)) > 0) {
	}
	if (ran < 0)
		give_up(job);
	JS_FreeValue(ctx, call_global(ctx, "__settled", 0, NULL));
}

void call_back(JSContext *ctx, JSValueConst work, int count, JSValue *values)
{
	JSValueConst all[8] = {work};

	for (int i = 0; i < count; i++)
		all[i + 1] = values[i];
	JS_FreeValue(ctx, call_global(ctx, "__call", count + 1, all));
	for (int i = 0; i < count; i++)
		JS_FreeValue(ctx, values[i]);
	run_jobs(ctx);
}

static void answer_expected(JSContext *ctx, const struct event *event)
{
	for (struct expected **at = &expected; *at; at = &(*at)->next) {
		struct expected *one = *at;
		JSValue values[] = {JS_NewInt64(ctx, event->result), JS_UNDEFINED, JS_UNDEFINED};

		if (one->id != event->id)
			continue;
		*at = one->next;
		if (event->kind == EVENT_TEXT) {
			values[0] = plugd_latin1(ctx, (const uint8_t *)(event->text.data ? event->text.data : ""), event->text.size);
		} else if (event->kind == EVENT_CALL) {
			values[1] = JS_NewBigInt64(ctx, event->started_ns);
			values[2] = JS_NewBigInt64(ctx, event->ended_ns);
		}
		call_back(ctx, one->done, 3, values);
		JS_FreeValue(ctx, one->done);
		free(one);
		return;
	}
}

static void read_events(JSContext *ctx)
{
	struct event event;

	while (read(events[0], &event, sizeof(event)) == sizeof(event)) {
		if (event.kind == EVENT_SIGNAL) {
			JSValue signal = JS_NewInt64(ctx, event.result);

			JS_FreeValue(ctx, call_global(ctx, "__signal", 1, &signal));
			run_jobs(ctx);
		} else {
			answer_expected(ctx, &event);
			plugd_text_free(&event.text);
		}
	}
}

/* What timers and immediates have to do. */
static void run_due(JSContext *ctx)
{
	JSValue immediates = call_global(ctx, "__immediates", 0, NULL);
	JSValue length = JS_GetPropertyStr(ctx, immediates, "length");
	int count = integer(ctx, length);
	int was_due = 1;

	for (int i = 0; i < count; i++) {
		JSValue work = JS_GetPropertyUint32(ctx, immediates, (uint32_t)i);

		call_back(ctx, work, 0, NULL);
		JS_FreeValue(ctx, work);
	}
	JS_FreeValue(ctx, immediates);
	while (was_due) {
		was_due = JS_ToBool(ctx, call_global(ctx, "__due", 0, NULL));
		run_jobs(ctx);
	}
}

/* How long to sleep, ms: -1 without an end, IDLE_UNHELD when nothing keeps the program alive. */
static int idle(JSContext *ctx)
{
	double ms = 0;
	bool is_held = expected != NULL;

	JS_ToFloat64(ctx, &ms, call_global(ctx, "__idle", 0, NULL));
	for (int i = 0; i < watched_count; i++)
		is_held |= watched[i].is_held;
	if (ms == IDLE_UNHELD)
		return is_held ? IDLE_FOREVER : IDLE_UNHELD;
	return ms < 0 ? IDLE_FOREVER : ms > 1e6 ? 1000000 : (int)(ms + 0.999);
}

void run_loop(JSContext *ctx)
{
	struct pollfd polled[MOST_WATCHED + 1];

	open_events();
	run_jobs(ctx);
	for (;;) {
		int count = watched_count, wait;

		run_due(ctx);
		wait = idle(ctx);
		if (wait == IDLE_UNHELD)
			return;
		count = watched_count;
		polled[count] = (struct pollfd){events[0], POLLIN, 0};
		for (int i = 0; i < count; i++)
			polled[i] = (struct pollfd){watched[i].fd, POLLIN, 0};
		if (poll(polled, (nfds_t)count + 1, wait) <= 0)
			continue;
		if (polled[count].revents)
			read_events(ctx);
		for (int i = 0; i < count; i++) {
			if (!polled[i].revents)
				continue;
			/* One that was ready may be gone by now. */
			for (int j = 0; j < watched_count; j++) {
				if (watched[j].fd == polled[i].fd) {
					watched[j].ready(ctx, watched[j].fd, watched[j].data);
					break;
				}
			}
		}
	}
}
