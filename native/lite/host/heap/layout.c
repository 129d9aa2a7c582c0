/*
 * Where each piece of a heap copy lies. A start touches a tenth of the copy's pieces, but these lie everywhere, and a page fault costs
 * more than what a command does with the page. So the build fills the heap twice. The first time each piece has pages of its own that
 * nothing may touch, and starts (children) tell which pieces they read and write. The second time those that are written lie together
 * at the beginning, then those that are read, then the rest; pieces that are free and that no start uses lie outside of the copy. Both
 * times pieces come in the same order, so a number names a piece. Should they not, the copy is slower and no less right.
 */
#define _GNU_SOURCE
#include "layout.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE ((size_t)4096)
#define MOST_PIECES ((size_t)1 << 17)
/* The pages' place if it is free, the same at each build: what the engine looks at first depends on the addresses of things. */
#define PLACE ((void *)0x4000000000)

/* A piece that is free is OUTSIDE unless a start uses it. */
enum use { REST, READ, WRITTEN, OUTSIDE };

/* A piece's number is that of its first page, were they all in pages of their own. */
static size_t next_number;

/* The first time: the pages, their uses, shared with the children, and the pieces' sizes. */
static uint8_t *pages, *uses;
static uint32_t *sizes;

/* The second time: sizes and uses by number, and what room each use has. */
static const uint32_t *layout;
static size_t layout_length, outside_count;
static struct {
	uint8_t *begin, *next, *end;
} rooms[OUTSIDE + 1];

static size_t pages_of(size_t size)
{
	return (size + PAGE - 1) / PAGE;
}

static void *map(void *place, size_t size, int how)
{
	void *memory = mmap(place, size, PROT_READ | PROT_WRITE, how | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

bool layout_observe(void)
{
	pages = map(PLACE, MOST_PIECES * PAGE, MAP_PRIVATE);
	uses = map(NULL, MOST_PIECES, MAP_SHARED);
	sizes = map(NULL, MOST_PIECES * sizeof(*sizes), MAP_PRIVATE);
	return pages && uses && sizes;
}

bool layout_observes(void)
{
	return pages != NULL;
}

/* A page that was not touched may be read from now on, one that was read also written. */
static void touched(int number, siginfo_t *info, void *context)
{
	size_t page = (size_t)((uint8_t *)info->si_addr - pages) / PAGE;

	if ((uint8_t *)info->si_addr < pages || page >= next_number) {
		signal(number, SIG_DFL);
		return;
	}
	/* Another child may have told of it already; this one's page is still closed. */
	if (mprotect(pages + page * PAGE, PAGE, uses[page] == REST ? PROT_READ : PROT_READ | PROT_WRITE) != 0)
		_exit(71);
	if (uses[page] < WRITTEN)
		uses[page]++;
}

bool layout_watch(void)
{
	struct sigaction action = {.sa_sigaction = touched, .sa_flags = SA_SIGINFO};

	return sigaction(SIGSEGV, &action, NULL) == 0 && mprotect(pages, next_number * PAGE, PROT_NONE) == 0;
}

/* The most that is done with any of a piece's pages. */
static enum use use_of(size_t number)
{
	enum use use = REST;

	for (size_t i = 0; i < pages_of(sizes[number]); i++) {
		if (uses[number + i] > use)
			use = uses[number + i];
	}
	return use;
}

void layout_free(const void *piece)
{
	size_t number = (size_t)((const uint8_t *)piece - pages) / PAGE;

	if (number < next_number && use_of(number) == REST)
		uses[number] = OUTSIDE;
}

int layout_write(const char *file)
{
	size_t length = next_number * sizeof(*sizes);
	int fd = open(file, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666);

	/* Sizes are multiples of eight; a number that is not of a first page has none. */
	for (size_t i = 0; i < next_number; i++)
		sizes[i] |= sizes[i] == 0 ? 0 : use_of(i);
	if (fd < 0 || write(fd, sizes, length) != (ssize_t)length || close(fd) != 0)
		return -errno;
	return 0;
}

uint8_t *layout_follow(const char *file, uint8_t *begin, uint8_t *outside)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat stat;
	void *memory;

	if (fd < 0 || fstat(fd, &stat) != 0)
		return begin;
	memory = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (memory == MAP_FAILED)
		return begin;
	layout = memory;
	layout_length = (size_t)stat.st_size / sizeof(*layout);
	rooms[WRITTEN].begin = begin;
	rooms[OUTSIDE].begin = outside;
	for (enum use use = WRITTEN;; use = use == WRITTEN ? READ : OUTSIDE) {
		size_t size = 0;

		for (size_t i = 0; i < layout_length; i++)
			size += (layout[i] & 7) == use ? layout[i] & ~7u : 0;
		rooms[use].next = rooms[use].begin;
		rooms[use].end = rooms[use].begin + size;
		if (use == WRITTEN)
			rooms[READ].begin = rooms[use].end;
		if (use == OUTSIDE)
			return rooms[READ].end;
	}
}

const uint8_t *layout_written_end(const uint8_t *begin)
{
	return layout ? rooms[WRITTEN].end : begin;
}

bool layout_is_outside(const void *piece)
{
	return layout && (const uint8_t *)piece >= rooms[OUTSIDE].begin && (const uint8_t *)piece < rooms[OUTSIDE].end;
}

size_t layout_outside_count(void)
{
	return outside_count;
}

void *layout_place(size_t size)
{
	size_t number = next_number;
	enum use use;
	void *place;

	next_number += pages_of(size);
	if (pages) {
		if (next_number > MOST_PIECES)
			_exit(71);
		sizes[number] = (uint32_t)size;
		return pages + number * PAGE;
	}
	/* Where the order is not that of the first time, any place will do. */
	if (number >= layout_length || (layout[number] & ~7u) != size)
		return NULL;
	use = (enum use)(layout[number] & 7);
	place = rooms[use].next;
	if (use == REST || rooms[use].next + size > rooms[use].end)
		return NULL;
	rooms[use].next += size;
	outside_count += use == OUTSIDE;
	return place;
}
