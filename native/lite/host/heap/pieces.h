#ifndef PLUGD_PIECES_H
#define PLUGD_PIECES_H
/* How the heap lies in memory, for heap.c and copy.c. */
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heap.h"

#define CLASSES 128
/* What build/elf.mjs has the kernel reserve for it. */
#define RESERVED ((size_t)8 << 20)

/* In front of each piece of memory. */
struct piece {
	uint32_t class;
	uint32_t size; /* what the piece has room for; of a mapped one in pages */
};

/* At the beginning of the heap's part of the file; all zero in a program without a copy. */
struct heap {
	char mark[8];
	char build[24];
	uint64_t used;
	uint64_t written; /* so much of it every start writes to */
	uint64_t sum;
	JSContext *ctx;
	uint8_t *next; /* memory that was never used, up to `end` */
	uint8_t *end;
	void *free[CLASSES];
	bool is_spilled; /* some of it is elsewhere: no copy can be made */
};

union heap_head {
	struct heap heap;
	uint8_t page[4096];
};

extern union heap_head heap_head;

#define HEAP (&heap_head.heap)
#define BEGIN (base() + sizeof(heap_head))

/* The heap's first byte; the compiler may not know how much the file says that there is. */
static inline uint8_t *base(void)
{
	uint8_t *first = heap_head.page;
	__asm__("" : "+r"(first));
	return first;
}

/* The heap's program header; NULL where something left it out of the file. */
const ElfW(Phdr) *heap_segment(void);

static inline struct piece *piece_of(const void *memory)
{
	return (struct piece *)memory - 1;
}

#endif
