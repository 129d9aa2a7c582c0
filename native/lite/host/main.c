/*
 * plugd-lite's beginning: the engine with its heap copy, or made now, and then the command that argv names.
 *
 *     plugd-lite COMMAND [OPTION…]
 *     plugd-lite --make-heap-copy FILE LINE…     the build's: fills the heap, running each line (words with blanks between), and writes it
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "heap.h"
#include "host.h"

extern const uint8_t plugd_bytecode[], plugd_bytecode_end[];

#define MEMORY_LIMIT ((size_t)256 << 20)
#define MOST_STACK ((size_t)4 << 20)
/* What the C side needs below the engine's own limit. */
#define SPARE_STACK ((size_t)256 << 10)
/* Collect garbage after this much; a short command never does. */
#define GARBAGE ((size_t)8 << 20)

static const struct host_part *const parts[] = {&host_text,	    &host_files, &host_names,	&host_machine,
						&host_processes, &host_calls, &host_sockets, &host_decompression};

static void rejected(JSContext *ctx, JSValueConst promise, JSValueConst reason, JS_BOOL is_handled, void *data)
{
	JSValue global = JS_GetGlobalObject(ctx), work = JS_GetPropertyStr(ctx, global, "__rejected");
	JSValueConst values[] = {promise, reason, JS_NewBool(ctx, is_handled)};

	JS_FreeValue(ctx, JS_Call(ctx, work, JS_UNDEFINED, 3, values));
	JS_FreeValue(ctx, work);
	JS_FreeValue(ctx, global);
}

/* As much as the process may use; programs that call this one may have set a small limit. */
static size_t stack_size(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
	    limit.rlim_cur > MOST_STACK + SPARE_STACK)
		return MOST_STACK;
	return limit.rlim_cur > 2 * SPARE_STACK ? limit.rlim_cur - SPARE_STACK : limit.rlim_cur / 2;
}

static JSContext *make_engine(void)
{
	JSRuntime *runtime;
	JSContext *ctx;
	JSValue global, host, program;

	heap_begin();
	runtime = JS_NewRuntime2(&heap_functions, NULL);
	ctx = runtime ? JS_NewContextRaw(runtime) : NULL;
	if (!ctx) {
		fputs("plugd-lite: out of memory\n", stderr);
		_exit(71);
	}
	JS_SetMemoryLimit(runtime, MEMORY_LIMIT);
	JS_SetGCThreshold(runtime, GARBAGE);
	JS_AddIntrinsicBaseObjects(ctx);
	JS_AddIntrinsicDate(ctx);
	JS_AddIntrinsicRegExpCompiler(ctx);
	JS_AddIntrinsicRegExp(ctx);
	JS_AddIntrinsicJSON(ctx);
	JS_AddIntrinsicMapSet(ctx);
	JS_AddIntrinsicTypedArrays(ctx);
	JS_AddIntrinsicPromise(ctx);
	JS_AddIntrinsicWeakRef(ctx);
	JS_SetHostPromiseRejectionTracker(runtime, rejected, NULL);
	host = JS_NewObject(ctx);
	for (unsigned i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		JS_SetPropertyFunctionList(ctx, host, parts[i]->functions, parts[i]->count);
	global = JS_GetGlobalObject(ctx);
	JS_SetPropertyStr(ctx, global, "plugdHost", host);
	JS_FreeValue(ctx, global);
	/* Packages choose names by it when they are evaluated; a copy is to be the same from build to build. */
	if (is_warming)
		plugd_seed(ctx, 1);
	program = JS_ReadObject(ctx, plugd_bytecode, (size_t)(plugd_bytecode_end - plugd_bytecode),
				JS_READ_OBJ_BYTECODE | JS_READ_OBJ_ROM_DATA);
	if (!JS_IsException(program))
		program = JS_EvalFunction(ctx, program);
	if (JS_IsException(program))
		give_up(ctx);
	JS_FreeValue(ctx, program);
	return ctx;
}

/* Calls a function of main.ts with a list of words, or of lines. */
static void call_with(JSContext *ctx, const char *name, JSValue list)
{
	JSValue global = JS_GetGlobalObject(ctx), work = JS_GetPropertyStr(ctx, global, name);
	JSValue result = JS_Call(ctx, work, JS_UNDEFINED, 1, &list);

	if (JS_IsException(result))
		give_up(ctx);
	JS_FreeValue(ctx, result);
	JS_FreeValue(ctx, list);
	JS_FreeValue(ctx, work);
	JS_FreeValue(ctx, global);
}

static JSValue list_of(JSContext *ctx, int count, char **words)
{
	JSValue list = JS_NewArray(ctx);

	for (int i = 0; i < count; i++)
		JS_SetPropertyUint32(ctx, list, (uint32_t)i, JS_NewString(ctx, words[i]));
	return list;
}

static int make_copy(const char *file, int count, char **lines)
{
	JSContext *ctx;
	struct stat own;
	JSValue list;
	int error;

	is_warming = true;
	ctx = make_engine();
	JS_SetMaxStackSize(JS_GetRuntime(ctx), stack_size());
	list = JS_NewArray(ctx);
	for (int i = 0; i < count; i++) {
		char *words[64];
		int most = 0;

		for (char *word = strtok(lines[i], " "); word && most < 64; word = strtok(NULL, " "))
			words[most++] = word;
		JS_SetPropertyUint32(ctx, list, (uint32_t)i, list_of(ctx, most, words));
	}
	call_with(ctx, "__warm", list);
	run_loop(ctx);
	JS_RunGC(JS_GetRuntime(ctx));
	plugd_forget_machine(ctx);
	error = stat("/proc/self/exe", &own) == 0 ? heap_write(ctx, file, own.st_size) : -errno;
	if (error != 0)
		fprintf(stderr, "plugd-lite: %s: %s\n", file, strerror(-error));
	return error != 0;
}

int main(int argc, char **argv)
{
	JSContext *ctx;
	uint64_t seed = 0;

	note_start();
	if (argc > 2 && strcmp(argv[1], "--make-heap-copy") == 0)
		return make_copy(argv[2], argc - 3, argv + 3);
	ctx = getenv("PLUGD_LITE_PLAIN") ? NULL : heap_copied();
	if (!ctx)
		ctx = make_engine();
	JS_UpdateStackTop(JS_GetRuntime(ctx));
	JS_SetMaxStackSize(JS_GetRuntime(ctx), stack_size());
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) > 0)
		plugd_seed(ctx, seed);
	call_with(ctx, "__start", list_of(ctx, argc, argv));
	run_loop(ctx);
	/* Every command ends by exit. */
	fputs("plugd-lite: a defect of plugd: the command waits for what never comes\n", stderr);
	return 70;
}
