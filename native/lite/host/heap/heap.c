/*
 * The heap of JavaScript's values. It lies at an address of the program's own file (heap.ld): copy.c says why. Pieces are of classes of
 * size, each with a list of those that are free.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "host.h"
#include "layout.h"
#include "pieces.h"

#define FIRST_CLASSES 64 /* of 8 bytes each */
#define LARGE (128 << 10)
#define CHUNK (1 << 20)
#define MAPPED 0xffffffff

/* Not in every C library's headers. */
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

union heap_head heap_head __attribute__((section(".plugd_heap"), aligned(4096)));
bool is_warming;

static unsigned class_of(size_t size)
{
	unsigned bits;

	if (size <= 8 * FIRST_CLASSES)
		return (unsigned)((size + 7) / 8);
	/* Four classes for each power of two. */
	bits = 63 - (unsigned)__builtin_clzl(size - 1);
	return FIRST_CLASSES + 1 + (bits - 9) * 4 + (unsigned)(((size - 1) >> (bits - 2)) & 3);
}

static size_t size_of(unsigned class)
{
	unsigned step = class - FIRST_CLASSES - 1;

	if (class <= FIRST_CLASSES)
		return 8 * (size_t)class;
	return ((size_t)(5 + (step & 3))) << (step / 4 + 7);
}

static size_t usable(const void *memory)
{
	const struct piece *piece = memory ? piece_of(memory) : NULL;

	if (!piece)
		return 0;
	return piece->class == MAPPED ? (size_t)piece->size * 4096 - 16 : piece->size;
}

static void *map(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* A piece of memory that was never used. */
static void *carve(unsigned class)
{
	size_t size = size_of(class), whole = size + sizeof(struct piece);
	struct piece *piece = is_warming ? layout_place(whole) : NULL;

	if (piece) {
		*piece = (struct piece){class, (uint32_t)size};
		return piece + 1;
	}
	if (HEAP->next + whole > HEAP->end) {
		HEAP->next = map(CHUNK);
		HEAP->end = HEAP->next ? HEAP->next + CHUNK : NULL;
		HEAP->is_spilled = true;
		if (!HEAP->next)
			return NULL;
	}
	piece = (struct piece *)HEAP->next;
	HEAP->next += whole;
	*piece = (struct piece){class, (uint32_t)size};
	return piece + 1;
}

static void *take(JSMallocState *state, size_t size)
{
	void *memory;

	if (size == 0 || size > state->malloc_limit || state->malloc_size > state->malloc_limit - size)
		return NULL;
	if (size > LARGE && !is_warming) {
		size_t pages = (size + 16 + 4095) / 4096;
		uint8_t *mapped = map(pages * 4096);

		if (!mapped)
			return NULL;
		memory = mapped + 16;
		*piece_of(memory) = (struct piece){MAPPED, (uint32_t)pages};
	} else {
		unsigned class = class_of(size);

		memory = HEAP->free[class];
		if (memory)
			HEAP->free[class] = *(void **)memory;
		else if (!(memory = carve(class)))
			return NULL;
	}
	state->malloc_count++;
	state->malloc_size += usable(memory);
	return memory;
}

static void give(JSMallocState *state, void *memory)
{
	if (!memory)
		return;
	state->malloc_count--;
	state->malloc_size -= usable(memory);
	if (piece_of(memory)->class == MAPPED) {
		munmap((uint8_t *)memory - 16, (size_t)piece_of(memory)->size * 4096);
	} else {
		/* A copy holds nothing of the machine that it was made on. */
		if (is_warming)
			memset(memory, 0, piece_of(memory)->size);
		*(void **)memory = HEAP->free[piece_of(memory)->class];
		HEAP->free[piece_of(memory)->class] = memory;
	}
}

static void *resize(JSMallocState *state, void *memory, size_t size)
{
	size_t before = usable(memory);
	bool fits = memory && size > 0 && size <= before;
	void *moved = fits && (size > before / 2 || before <= 64) ? memory : take(state, size);

	if (moved == memory || (!moved && size > 0))
		return fits ? memory : moved;
	if (moved && memory)
		memcpy(moved, memory, size < before ? size : before);
	give(state, memory);
	return moved;
}

const JSMallocFunctions heap_functions = {take, give, resize, usable};

const ElfW(Phdr) *heap_segment(void)
{
	const ElfW(Phdr) *header = (const ElfW(Phdr) *)getauxval(AT_PHDR);

	for (size_t i = getauxval(AT_PHNUM); header && i > 0; i--, header++) {
		if (header->p_type == PT_LOAD && header->p_vaddr == (uintptr_t)base())
			return header;
	}
	return NULL;
}

/* The kernel has mapped as much as the program header says: all of it, or after strip(1) what the section had, or nothing. */
bool heap_place(void)
{
	const ElfW(Phdr) *header = heap_segment();
	size_t page = (size_t)getauxval(AT_PAGESZ);
	size_t mapped = header ? (header->p_memsz + page - 1) & ~(page - 1) : 0;
	uint8_t *rest = base() + mapped;

	if (mapped >= RESERVED)
		return true;
	/* Linux before 4.17 takes the address as a wish. */
	return mmap(rest, RESERVED - mapped, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == rest;
}

void heap_begin(void)
{
	/* Of a copy that is damaged even the pages may be missing. */
	mmap(BEGIN, RESERVED - sizeof(heap_head), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	memset(HEAP, 0, sizeof(*HEAP));
	HEAP->next = BEGIN;
	HEAP->end = base() + RESERVED;
}
