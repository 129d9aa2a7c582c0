/* The addon's calls: bindings over native/core. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "host.h"

/* On the call's thread. */
static void told(struct plugd_call *call, void *owner)
{
	const struct event event = {.kind = EVENT_CALL,
				    .id = call->id,
				    .result = call->result,
				    .started_ns = call->started_ns,
				    .ended_ns = call->ended_ns};

	plugd_call_free(call);
	tell_loop(&event);
}

/* Begins a call and takes `text` over; without memory or a thread `done` hears of it as of any other refusal. */
static JSValue begin(JSContext *ctx, struct plugd_call *call, JSValueConst done)
{
	struct event failed = {.kind = EVENT_CALL, .id = expect_event(ctx, done)};

	if (call && call->text) {
		call->id = failed.id;
		call->done = told;
		failed.result = plugd_call_start(call);
		if (failed.result == 0)
			return JS_UNDEFINED;
	} else {
		failed.result = -ENOMEM;
	}
	if (call)
		plugd_call_free(call);
	failed.started_ns = failed.ended_ns = plugd_monotonic_ns();
	tell_loop(&failed);
	return JS_UNDEFINED;
}

static struct plugd_call *new_call(JSContext *ctx, enum plugd_call_kind kind, JSValueConst text)
{
	struct plugd_call *call = calloc(1, sizeof(*call));
	size_t size;

	if (call) {
		call->kind = kind;
		call->fd = -1;
		call->text = (char *)plugd_latin1_bytes(ctx, text, &size);
	}
	return call;
}

HOST_FUNCTION(calls_finit)
{
	struct plugd_call *call = new_call(ctx, PLUGD_FINIT, argv[1]);

	if (call) {
		call->fd = integer(ctx, argv[0]);
		call->flags = (unsigned)integer(ctx, argv[2]);
	}
	return begin(ctx, call, argv[3]);
}

HOST_FUNCTION(calls_init)
{
	struct plugd_call *call = new_call(ctx, PLUGD_INIT, argv[1]);
	size_t size = 0;
	const uint8_t *bytes = bytes_of(ctx, argv[0], &size);

	if (call) {
		call->image = malloc(size + 1);
		call->image_size = size;
		if (call->image && bytes) {
			memcpy(call->image, bytes, size);
		} else {
			free(call->text);
			call->text = NULL;
		}
	}
	return begin(ctx, call, argv[2]);
}

HOST_FUNCTION(calls_delete)
{
	struct plugd_call *call = new_call(ctx, PLUGD_DELETE, argv[0]);

	if (call)
		call->flags = (unsigned)integer(ctx, argv[1]);
	return begin(ctx, call, argv[2]);
}

HOST_FUNCTION(calls_open_in_root)
{
	char root[PATH_MAX];
	int error = path_of(ctx, argv[0], root);
	size_t size = 0;
	const uint8_t *path = bytes_of(ctx, argv[1], &size);

	if (error == 0 && !path)
		error = -EIO;
	return JS_NewInt32(
		ctx, error != 0 ? error : plugd_open_in_root(root, (const char *)path, size, (uint64_t)wide(ctx, argv[2])));
}

HOST_FUNCTION(calls_lock_file)
{
	return JS_NewInt32(ctx, plugd_lock_file(integer(ctx, argv[0])));
}

HOST_FUNCTION(calls_notify)
{
	size_t path_size, size;
	const char *path = JS_ToCStringLen(ctx, &path_size, argv[0]);
	const char *message = JS_ToCStringLen(ctx, &size, argv[1]);
	int result = path && message ? plugd_notify(path, path_size, message, size) : -ENOMEM;

	JS_FreeCString(ctx, path);
	JS_FreeCString(ctx, message);
	return JS_NewInt32(ctx, result);
}

HOST_FUNCTION(calls_send_now)
{
	size_t size = 0;
	const uint8_t *bytes = bytes_of(ctx, argv[1], &size);

	return JS_NewInt64(ctx, plugd_send_now(integer(ctx, argv[0]), bytes, size));
}

HOST_FUNCTION(calls_set_non_blocking)
{
	return JS_NewInt32(ctx, plugd_set_non_blocking(integer(ctx, argv[0])));
}

HOST_FUNCTION(calls_set_receive_buffer)
{
	return JS_NewInt32(ctx, plugd_set_receive_buffer(integer(ctx, argv[0]), integer(ctx, argv[1])));
}

HOST_FUNCTION(calls_set_no_enobufs)
{
	return JS_NewInt32(ctx, plugd_set_no_enobufs(integer(ctx, argv[0])));
}

HOST_FUNCTION(calls_read_keyring)
{
	enum { MOST = 4096 };
	int32_t *keys = malloc(MOST * sizeof(*keys));
	long count = keys ? plugd_read_keyring(integer(ctx, argv[0]), keys, MOST) : -ENOMEM;
	JSValue list = count < 0 ? JS_NewInt64(ctx, count) : JS_NewArray(ctx);

	for (long i = 0; i < count && i < MOST; i++)
		JS_SetPropertyUint32(ctx, list, (uint32_t)i, JS_NewInt64(ctx, (uint32_t)keys[i]));
	free(keys);
	return list;
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("finitModule", 4, calls_finit),
	JS_CFUNC_DEF("initModule", 3, calls_init),
	JS_CFUNC_DEF("deleteModule", 3, calls_delete),
	JS_CFUNC_DEF("openInRoot", 3, calls_open_in_root),
	JS_CFUNC_DEF("lockFile", 1, calls_lock_file),
	JS_CFUNC_DEF("notify", 2, calls_notify),
	JS_CFUNC_DEF("sendNow", 2, calls_send_now),
	JS_CFUNC_DEF("setNonBlocking", 1, calls_set_non_blocking),
	JS_CFUNC_DEF("setReceiveBuffer", 2, calls_set_receive_buffer),
	JS_CFUNC_DEF("setNoEnobufs", 1, calls_set_no_enobufs),
	JS_CFUNC_DEF("readKeyring", 1, calls_read_keyring),
};
const struct host_part host_calls = {functions, sizeof(functions) / sizeof(*functions)};
