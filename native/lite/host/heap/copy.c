/*
 * The heap's copy. The heap lies at an address of the program's own file (heap.ld), and the program is linked to fixed addresses; so a
 * heap that was filled once, at build time, can become a part of the file: the kernel maps it when it starts the program, page by page,
 * like any other data, and nothing can be in its way. Its pointers fit this very file only: a mark, the build and a sum of the head tell
 * whether it is that heap, the file's size whether it is whole. Its middle is not summed up, no more than the program's code is: reading
 * all of it costs a third of a start.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layout.h"
#include "pieces.h"

#ifndef PLUGD_BUILD
#define PLUGD_BUILD "unknown"
#endif

/* Not in every C library's headers. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static const char MARK[8] = "plugdhp1";

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

/*
 * Whether the file still has what the head and the program header tell of. A page behind its end would end the program when it is touched.
 * The file is the one that was named at the start: /proc/self/exe is not it under an emulator.
 */
static bool is_whole(void)
{
	const ElfW(Phdr) *header = heap_segment();
	const char *file = (const char *)getauxval(AT_EXECFN);
	struct stat own;

	if (!header || header->p_filesz < sizeof(heap_head) + HEAP->used)
		return false;
	return !file || stat(file, &own) != 0 || (uint64_t)own.st_size >= header->p_offset + header->p_filesz;
}

/* Gets the pages that every start writes to at once: a fault for each would take longer. Linux before 5.14 cannot. */
static void expect_writes(void)
{
	if (HEAP->written > 0)
		madvise(base(), HEAP->written, MADV_POPULATE_WRITE);
}

JSContext *heap_copied(void)
{
	if (memcmp(HEAP->mark, MARK, sizeof(MARK)) != 0 || strcmp(HEAP->build, PLUGD_BUILD) != 0)
		return NULL;
	if (HEAP->used > RESERVED - sizeof(heap_head) || sum_of_head() != HEAP->sum || !is_whole())
		return NULL;
	expect_writes();
	return HEAP->ctx;
}

void heap_follow(const char *layout)
{
	HEAP->end = base() + RESERVED / 2;
	HEAP->next = layout_follow(layout, BEGIN, HEAP->end);
	HEAP->written = (uint64_t)(layout_written_end(BEGIN) - base() + 4095) & ~(uint64_t)4095;
}

void heap_tell_free(void)
{
	for (unsigned class = 0; class < CLASSES; class++) {
		for (void *memory = HEAP->free[class]; memory; memory = *(void **)memory)
			layout_free(piece_of(memory));
	}
}

/* Takes the pieces that lie outside off the lists; true if none of them is in use. */
static bool forget_outside(void)
{
	size_t count = 0;

	for (unsigned class = 0; class < CLASSES; class++) {
		for (void **at = &HEAP->free[class]; *at;) {
			void *memory = *at;

			if (layout_is_outside(piece_of(memory))) {
				*at = *(void **)memory;
				count++;
			} else {
				at = (void **)memory;
			}
		}
	}
	return count == layout_outside_count();
}

int heap_write(JSContext *ctx, const char *file)
{
	size_t size;
	int fd;

	if (HEAP->is_spilled || !forget_outside())
		return -E2BIG;
	memcpy(HEAP->mark, MARK, sizeof(MARK));
	strncpy(HEAP->build, PLUGD_BUILD, sizeof(HEAP->build) - 1);
	HEAP->ctx = ctx;
	HEAP->end = base() + RESERVED;
	/* Whole pages: the kernel clears the rest of one when it starts a program, which it cannot in a file that was cut off. */
	HEAP->used = (size_t)(HEAP->next - BEGIN + 4095) & ~(size_t)4095;
	HEAP->sum = sum_of_head();
	size = sizeof(heap_head) + HEAP->used;
	fd = open(file, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666);
	if (fd < 0 || write(fd, base(), size) != (ssize_t)size || close(fd) != 0)
		return -errno;
	return 0;
}
