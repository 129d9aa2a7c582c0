/*
 * The heap of JavaScript's values, and its copy. The heap lies at an address of the program's own file (heap.ld), and the program is
 * linked to fixed addresses; so a heap that was filled once, at build time, can become a part of the file: the kernel maps it when it
 * starts the program, page by page, like any other data, and nothing can be in its way. Its pointers fit this very file only: a mark, the
 * build and a sum of the head tell whether it is that heap, the file's size whether it is whole. Its middle is not summed up, no more than
 * the program's code is: reading all of it costs a third of a start.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "heap.h"
#include "host.h"

#ifndef PLUGD_BUILD
#define PLUGD_BUILD "unknown"
#endif

#define FIRST_CLASSES 64 /* of 8 bytes each */
#define CLASSES 128
#define LARGE (128 << 10)
#define CHUNK (1 << 20)
#define MAPPED 0xffffffff

/* In front of each piece of memory. */
struct piece {
	uint32_t class;
	uint32_t size; /* what the piece has room for; of a mapped one in pages */
};

static const char MARK[8] = "plugdhp1";

/* At the beginning of the heap's part of the file; all zero in a program without a copy. */
struct heap {
	char mark[8];
	char build[24];
	uint64_t used;
	uint64_t sum;
	off_t file_size; /* of the program with the copy */
	JSContext *ctx;
	uint8_t *next; /* memory that was never used, up to `end` */
	uint8_t *end;
	void *free[CLASSES];
	bool is_spilled; /* some of it is elsewhere: no copy can be made */
};

static union {
	struct heap heap;
	uint8_t page[4096];
} head __attribute__((section(".plugd_heap"), aligned(4096)));

#define HEAP (&head.heap)
#define BEGIN (base() + sizeof(head))
/* What build/elf.mjs has the kernel reserve for it. */
#define RESERVED ((size_t)8 << 20)
bool is_warming;
/* The heap's first byte; the compiler may not know how much the file says that there is. */
static uint8_t *base(void)
{
	uint8_t *first = head.page;
	__asm__("" : "+r"(first));
	return first;
}

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

static struct piece *piece_of(const void *memory)
{
	return (struct piece *)memory - 1;
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
	struct piece *piece;

	if (HEAP->next + whole > HEAP->end) {
		HEAP->next = map(CHUNK);
		HEAP->end = HEAP->next ? HEAP->next + CHUNK : NULL;
		HEAP->is_spilled = true;
		if (!HEAP->next)
			return NULL;
	}
	piece = (struct piece *)HEAP->next;
	HEAP->next += whole;
	piece->class = class;
	piece->size = (uint32_t)size;
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

void heap_begin(void)
{
	/* Of a copy that is damaged even the pages may be missing. */
	mmap(BEGIN, RESERVED - sizeof(head), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	memset(HEAP, 0, sizeof(*HEAP));
	HEAP->next = BEGIN;
	HEAP->end = base() + RESERVED;
}

/* Of the head with its pointers, but for itself. */
static uint64_t sum_of_head(void)
{
	struct heap copy = *HEAP;
	const uint8_t *bytes = (const uint8_t *)&copy;
	uint64_t sum = copy.sum = 0;

	for (size_t i = 0; i < sizeof(copy); i++)
		sum = (sum ^ (bytes[i] + 1u)) * 0x100000001b3;
	return sum;
}

/* Whether the file still has what the head tells of. A page behind its end would end the program when it is touched. */
static bool is_whole(void)
{
	const char *file = (const char *)getauxval(AT_EXECFN);
	struct stat stat_;

	return !file || stat(file, &stat_) != 0 || stat_.st_size >= HEAP->file_size;
}

JSContext *heap_copied(void)
{
	if (memcmp(HEAP->mark, MARK, sizeof(MARK)) != 0 || strcmp(HEAP->build, PLUGD_BUILD) != 0)
		return NULL;
	if (HEAP->used > RESERVED - sizeof(head) || sum_of_head() != HEAP->sum || !is_whole())
		return NULL;
	return HEAP->ctx;
}

int heap_write(JSContext *ctx, const char *file, off_t own_size)
{
	size_t size;
	int fd;

	if (HEAP->is_spilled)
		return -E2BIG;
	memcpy(HEAP->mark, MARK, sizeof(MARK));
	strncpy(HEAP->build, PLUGD_BUILD, sizeof(HEAP->build) - 1);
	HEAP->ctx = ctx;
	/* Whole pages: the kernel clears the rest of one when it starts a program, which it cannot in a file that was cut off. */
	HEAP->used = (size_t)(HEAP->next - BEGIN + 4095) & ~(size_t)4095;
	HEAP->file_size = ((own_size + 4095) & ~4095) + (off_t)(sizeof(head) + HEAP->used);
	HEAP->sum = sum_of_head();
	size = sizeof(head) + HEAP->used;
	fd = open(file, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666);
	if (fd < 0 || write(fd, base(), size) != (ssize_t)size || close(fd) != 0)
		return -errno;
	return 0;
}
