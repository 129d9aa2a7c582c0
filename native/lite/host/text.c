/* Text and bytes. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "host.h"

uint8_t *bytes_of(JSContext *ctx, JSValueConst value, size_t *size)
{
	size_t offset, each, whole;
	JSValue buffer;
	uint8_t *bytes;

	buffer = JS_GetTypedArrayBuffer(ctx, value, &offset, size, &each);
	if (JS_IsException(buffer)) {
		JS_FreeValue(ctx, JS_GetException(ctx));
		return NULL;
	}
	bytes = JS_GetArrayBuffer(ctx, &whole, buffer);
	JS_FreeValue(ctx, buffer);
	return bytes ? bytes + offset : NULL;
}

static void free_bytes(JSRuntime *runtime, void *opaque, void *bytes)
{
	free(bytes);
}

JSValue owned_bytes(JSContext *ctx, uint8_t *bytes, size_t size)
{
	JSValue value;

	if (!is_warming)
		return JS_NewArrayBuffer(ctx, bytes, size, free_bytes, NULL, 0);
	value = JS_NewArrayBufferCopy(ctx, bytes, size);
	free(bytes);
	return value;
}

static int copy_path(const void *bytes, size_t size, char path[PATH_MAX])
{
	if (!bytes || memchr(bytes, 0, size))
		return -EIO;
	if (size >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(path, bytes, size);
	path[size] = '\0';
	return 0;
}

int path_of(JSContext *ctx, JSValueConst value, char path[PATH_MAX])
{
	const char *text;
	size_t size = 0;
	int error;

	if (!JS_IsString(value)) {
		const uint8_t *bytes = bytes_of(ctx, value, &size);

		return copy_path(bytes, size, path);
	}
	text = JS_ToCStringLen(ctx, &size, value);
	error = copy_path(text, size, path);
	JS_FreeCString(ctx, text);
	return error;
}

char **words_of(JSContext *ctx, JSValueConst list, const char *first)
{
	JSValue length = JS_GetPropertyStr(ctx, list, "length");
	int count = integer(ctx, length), at = 0;
	char **words = calloc((size_t)count + 2, sizeof(*words));

	if (!words)
		return NULL;
	if (first)
		words[at++] = strdup(first);
	for (int i = 0; i < count; i++) {
		JSValue word = JS_GetPropertyUint32(ctx, list, (uint32_t)i);
		const char *text = JS_ToCString(ctx, word);

		words[at++] = strdup(text ? text : "");
		JS_FreeCString(ctx, text);
		JS_FreeValue(ctx, word);
	}
	return words;
}

void free_words(char **words)
{
	for (char **word = words; word && *word; word++)
		free(*word);
	free(words);
}

/* The range [from, to) of a call's bytes, cut to what there is. */
static const uint8_t *range_of(JSContext *ctx, JSValueConst *argv, size_t *length)
{
	size_t size = 0;
	const uint8_t *bytes = bytes_of(ctx, argv[0], &size);
	int64_t from = wide(ctx, argv[1]), to = wide(ctx, argv[2]);

	if (to > (int64_t)size)
		to = (int64_t)size;
	if (from < 0)
		from = 0;
	*length = bytes && from < to ? (size_t)(to - from) : 0;
	return *length > 0 ? bytes + from : NULL;
}

HOST_FUNCTION(text_latin1)
{
	size_t length;
	const uint8_t *bytes = range_of(ctx, argv, &length);

	if (length > 0x3fffffff)
		return JS_ThrowRangeError(ctx, "Invalid string length");
	return plugd_latin1(ctx, bytes, length);
}

HOST_FUNCTION(text_utf8)
{
	size_t length;
	const uint8_t *bytes = range_of(ctx, argv, &length);

	return JS_NewStringLen(ctx, bytes ? (const char *)bytes : "", length);
}

HOST_FUNCTION(text_encode_latin1)
{
	size_t size;
	uint8_t *bytes = plugd_latin1_bytes(ctx, argv[0], &size);

	return bytes ? owned_bytes(ctx, bytes, size) : JS_ThrowOutOfMemory(ctx);
}

HOST_FUNCTION(text_encode_utf8)
{
	size_t size;
	const char *text = JS_ToCStringLen(ctx, &size, argv[0]);
	JSValue value;

	if (!text)
		return JS_EXCEPTION;
	value = JS_NewArrayBufferCopy(ctx, (const uint8_t *)text, size);
	JS_FreeCString(ctx, text);
	return value;
}

HOST_FUNCTION(text_utf8_length)
{
	size_t size;
	const char *text = JS_ToCStringLen(ctx, &size, argv[0]);

	if (!text)
		return JS_EXCEPTION;
	JS_FreeCString(ctx, text);
	return JS_NewInt64(ctx, (int64_t)size);
}

HOST_FUNCTION(text_put_latin1)
{
	size_t room, size = 0;
	uint8_t *to = bytes_of(ctx, argv[0], &room);
	int64_t at = wide(ctx, argv[1]);
	uint8_t *bytes = plugd_latin1_bytes(ctx, argv[2], &size);

	if (!to || !bytes || at < 0 || at > (int64_t)room)
		size = 0;
	else if (size > room - (size_t)at)
		size = room - (size_t)at;
	if (size > 0)
		memcpy(to + at, bytes, size);
	free(bytes);
	return JS_NewInt64(ctx, (int64_t)size);
}

HOST_FUNCTION(text_find)
{
	size_t size = 0, length = 0;
	const uint8_t *bytes = bytes_of(ctx, argv[0], &size), *wanted = bytes_of(ctx, argv[1], &length);
	int64_t from = wide(ctx, argv[2]);
	const uint8_t *found;

	if (from < 0)
		from = from + (int64_t)size < 0 ? 0 : from + (int64_t)size;
	if (!bytes || !wanted || from > (int64_t)size)
		return JS_NewInt32(ctx, -1);
	found = memmem(bytes + from, size - (size_t)from, wanted, length);
	return JS_NewInt64(ctx, found ? found - bytes : -1);
}

HOST_FUNCTION(text_compare)
{
	size_t a_size = 0, b_size = 0;
	const uint8_t *a = bytes_of(ctx, argv[0], &a_size), *b = bytes_of(ctx, argv[1], &b_size);
	size_t least = a_size < b_size ? a_size : b_size;
	int order = a && b && least > 0 ? memcmp(a, b, least) : 0;

	if (order == 0)
		order = a_size < b_size ? -1 : a_size > b_size;
	return JS_NewInt32(ctx, order < 0 ? -1 : order > 0);
}

HOST_FUNCTION(text_random)
{
	size_t size = 0;
	uint8_t *bytes = bytes_of(ctx, argv[0], &size);

	return answer(ctx, bytes ? getrandom(bytes, size, 0) : 0);
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("latin1", 3, text_latin1),		   JS_CFUNC_DEF("utf8", 3, text_utf8),
	JS_CFUNC_DEF("encodeLatin1", 1, text_encode_latin1), JS_CFUNC_DEF("encodeUtf8", 1, text_encode_utf8),
	JS_CFUNC_DEF("utf8Length", 1, text_utf8_length),   JS_CFUNC_DEF("putLatin1", 3, text_put_latin1),
	JS_CFUNC_DEF("find", 3, text_find),		   JS_CFUNC_DEF("compare", 2, text_compare),
	JS_CFUNC_DEF("random", 1, text_random),
};
const struct host_part host_text = {functions, sizeof(functions) / sizeof(*functions)};
