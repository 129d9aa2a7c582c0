/* Compiles a script to the engine's bytecode: compile OUT NAME < SCRIPT. The build runs it on its own machine. */
#include <stdio.h>
#include <stdlib.h>

#include "quickjs.h"

static int fail(JSContext *ctx)
{
	JSValue error = JS_GetException(ctx), stack = JS_GetPropertyStr(ctx, error, "stack");

	fprintf(stderr, "%s\n%s\n", JS_ToCString(ctx, error), JS_ToCString(ctx, stack));
	return 1;
}

int main(int argc, char **argv)
{
	JSRuntime *runtime = JS_NewRuntime();
	JSContext *ctx = JS_NewContext(runtime);
	size_t capacity = 4 << 20, size = 0, got, out_size;
	char *script = malloc(capacity);
	uint8_t *bytes;
	JSValue program;
	FILE *out;

	if (argc != 3 || !script)
		return 64;
	while ((got = fread(script + size, 1, capacity - size - 1, stdin)) > 0)
		size += got;
	script[size] = 0;
#ifdef JS_STRIP_DEBUG
	JS_SetStripInfo(runtime, JS_STRIP_DEBUG);
#endif
	program = JS_Eval(ctx, script, size, argv[2], JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY);
	if (JS_IsException(program))
		return fail(ctx);
	bytes = JS_WriteObject(ctx, &out_size, program, JS_WRITE_OBJ_BYTECODE);
	out = fopen(argv[1], "wb");
	if (!bytes || !out || fwrite(bytes, 1, out_size, out) != out_size || fclose(out) != 0)
		return fail(ctx);
	return 0;
}
