/* The engine's memory by malloc, in place of native/lite/host/heap/: the sanitizers then know each piece. There is no copy. */
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>

#include "heap/heap.h"
#include "host.h"

bool is_warming;

static size_t usable(const void *memory)
{
	return malloc_usable_size((void *)memory);
}

static void *take(JSMallocState *state, size_t size)
{
	void *memory = size == 0 || state->malloc_size + size > state->malloc_limit ? NULL : malloc(size);

	if (memory) {
		state->malloc_count++;
		state->malloc_size += usable(memory);
	}
	return memory;
}

static void give(JSMallocState *state, void *memory)
{
	if (!memory)
		return;
	state->malloc_count--;
	state->malloc_size -= usable(memory);
	free(memory);
}

static void *resize(JSMallocState *state, void *memory, size_t size)
{
	size_t before = memory ? usable(memory) : 0;
	void *moved;

	if (!memory)
		return take(state, size);
	if (size == 0) {
		give(state, memory);
		return NULL;
	}
	moved = state->malloc_size + size - before > state->malloc_limit ? NULL : realloc(memory, size);
	if (moved)
		state->malloc_size += usable(moved) - before;
	return moved;
}

const JSMallocFunctions heap_functions = {take, give, resize, usable};

bool heap_place(void)
{
	return true;
}

void heap_begin(void)
{
}

void heap_follow(const char *layout)
{
}

void heap_tell_free(void)
{
}

JSContext *heap_copied(void)
{
	return NULL;
}

int heap_write(JSContext *ctx, const char *file)
{
	return -ENOSYS;
}
