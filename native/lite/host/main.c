/*
 * plugd-lite's beginning: the engine with its heap copy, or made now, and then the command that argv names.
 *
 *     plugd-lite COMMAND [OPTION…]
 * The build's, both fill the heap, running each line (words with blanks between):
 *     plugd-lite --observe-heap LAYOUT LINE…            runs each once more in a child, and writes what that uses
 *     plugd-lite --make-heap-copy FILE LAYOUT LINE…     writes the heap
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heap/heap.h"
#include "heap/layout.h"
#include "host.h"

extern const uint8_t plugd_bytecode[], plugd_bytecode_end[];

#define MEMORY_LIMIT ((size_t)256 << 20)
#define MOST_STACK ((size_t)4 << 20)
/* What the C side needs below the engine's own limit. */
#define SPARE_STACK ((size_t)256 << 10)
/* Collect garbage after this much; a short command never does. */
#define GARBAGE ((size_t)8 << 20)

static const struct host_part *const parts[] = {&host_text,	    &host_files, &host_names,	&host_machine,
						&host_processes, &host_calls, &host_devices, &host_sockets, &host_decompression};

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

/* `layout`: where the pieces of its heap are to lie, if it is to be copied. */
static JSContext *make_engine(const char *layout)
{
	JSRuntime *runtime;
	JSContext *ctx;
	JSValue global, host, program;

	heap_begin();
	if (layout)
		heap_follow(layout);
	runtime = JS_NewRuntime2(&heap_functions, NULL);
	if (runtime)
		plugd_name_first(runtime, plugd_bytecode, (size_t)(plugd_bytecode_end - plugd_bytecode));
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

static void allow_stack(JSContext *ctx)
{
	JS_UpdateStackTop(JS_GetRuntime(ctx));
	JS_SetMaxStackSize(JS_GetRuntime(ctx), stack_size());
}

/* The command that argv names; comes back if it never ends. */
static void run(JSContext *ctx, int count, char **words)
{
	uint64_t seed = 0;

	allow_stack(ctx);
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) > 0)
		plugd_seed(ctx, seed);
	call_with(ctx, "__start", list_of(ctx, count, words));
	run_loop(ctx);
}

/* A line's words, in place of its blanks NUL; how many. */
static int words_in(char *line, char *words[64])
{
	int count = 0;

	for (char *word = strtok(line, " "); word && count < 64; word = strtok(NULL, " "))
		words[count++] = word;
	return count;
}

/* An engine as a copy of its heap is to have it. */
static JSContext *warm_engine(const char *layout, int count, char **lines)
{
	JSContext *ctx;
	JSValue list;

	is_warming = true;
	stop_clock();
	ctx = make_engine(layout);
	allow_stack(ctx);
	list = JS_NewArray(ctx);
	for (int i = 0; i < count; i++) {
		char *line = strdupa(lines[i]), *words[64];

		JS_SetPropertyUint32(ctx, list, (uint32_t)i, list_of(ctx, words_in(line, words), words));
	}
	call_with(ctx, "__warm", list);
	run_loop(ctx);
	JS_RunGC(JS_GetRuntime(ctx));
	plugd_forget_machine(ctx);
	return ctx;
}

static int fail(const char *file, int error)
{
	fprintf(stderr, "plugd-lite: %s: %s\n", file, strerror(-error));
	return 1;
}

static int make_copy(const char *file, const char *layout, int count, char **lines)
{
	JSContext *ctx = warm_engine(layout, count, lines);
	int error = heap_write(ctx, file);

	return error == 0 ? 0 : fail(file, error);
}

static int observe(const char *layout, int count, char **lines)
{
	JSContext *ctx;
	int error;

	if (!layout_observe())
		return fail(layout, -ENOMEM);
	ctx = warm_engine(NULL, count, lines);
	for (int i = 0; i < count; i++) {
		char *words[64];
		int most = words_in(lines[i], words), status = 0;
		pid_t pid = fork();

		if (pid == 0) {
			is_warming = false;
			if (!freopen("/dev/null", "w", stdout) || !layout_watch())
				_exit(71);
			run(ctx, most, words);
			_exit(70);
		}
		if (pid < 0 || waitpid(pid, &status, 0) < 0)
			return fail(words[0], -errno);
		if (status != 0)
			return fail(words[0], -ECHILD);
	}
	heap_tell_free();
	error = layout_write(layout);
	return error == 0 ? 0 : fail(layout, error);
}

int main(int argc, char **argv)
{
	JSContext *ctx;

	note_start();
	if (!heap_place()) {
		fputs("plugd-lite: the place of its memory is taken, because this file was changed after it was built\n", stderr);
		return 71;
	}
	if (argc > 3 && strcmp(argv[1], "--make-heap-copy") == 0)
		return make_copy(argv[2], argv[3], argc - 4, argv + 4);
	if (argc > 2 && strcmp(argv[1], "--observe-heap") == 0)
		return observe(argv[2], argc - 3, argv + 3);
	if (argc == 2 && strcmp(argv[1], "--uses-heap-copy") == 0)
		return getenv("PLUGD_LITE_PLAIN") || !heap_copied();
	ctx = getenv("PLUGD_LITE_PLAIN") ? NULL : heap_copied();
	run(ctx ? ctx : make_engine(NULL), argc, argv);
	/* Every command ends by exit. */
	fputs("plugd-lite: a defect of plugd: the command waits for what never comes\n", stderr);
	return 70;
}
