/*
 * The engine with what its interface lacks: latin1 text without a detour through UTF-8, and what a heap copy must forget. It is one
 * file with the engine because strings are private to it.
 */
#include "quickjs.c"

/* It forbids itself malloc; what the host frees comes from there. */
#undef malloc

#include "engine.h"

JSValue plugd_latin1(JSContext *ctx, const uint8_t *bytes, size_t size)
{
	return js_new_string8_len(ctx, (const char *)bytes, (int)size);
}

uint8_t *plugd_latin1_bytes(JSContext *ctx, JSValueConst text, size_t *size)
{
	JSValue flat = JS_ToString(ctx, text);
	JSString *string;
	uint8_t *bytes;

	if (JS_IsException(flat))
		return NULL;
	string = JS_VALUE_GET_STRING(flat);
	*size = string->len;
	bytes = malloc(string->len + 1);
	if (bytes) {
		for (uint32_t i = 0; i < string->len; i++)
			bytes[i] = (uint8_t)(string->is_wide_char ? string->u.str16[i] : string->u.str8[i]);
		bytes[string->len] = 0;
	}
	JS_FreeValue(ctx, flat);
	return bytes;
}

void plugd_name_first(JSRuntime *runtime, const uint8_t *bytecode, size_t size)
{
	/* A context of the engine's own making would bring names along; to make some only its runtime is looked at. */
	JSContext *ctx = js_mallocz_rt(runtime, sizeof(*ctx));
	BCReaderState reader = {.ctx = ctx, .buf_start = bytecode, .ptr = bytecode, .buf_end = bytecode + size};

	if (!ctx)
		return;
	ctx->rt = runtime;
	/* They stay: the script has them for good. */
	JS_ReadObjectAtoms(&reader);
	js_free_rt(runtime, reader.idx_to_atom);
	js_free_rt(runtime, ctx);
}

void plugd_forget_machine(JSContext *ctx)
{
	ctx->random_state = 1;
	ctx->rt->stack_top = NULL;
	ctx->rt->stack_limit = NULL;
}

void plugd_seed(JSContext *ctx, uint64_t seed)
{
	ctx->random_state = seed | 1;
}
