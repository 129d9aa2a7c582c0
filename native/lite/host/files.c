/* Files: what they hold. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"

/* Files from this size on are mapped: pages that nobody looks at are never read. */
#define MAPPED_FROM (32 << 10)

HOST_FUNCTION(files_open)
{
	char path[PATH_MAX];
	int error = path_of(ctx, argv[0], path);

	return error != 0 ? JS_NewInt32(ctx, error)
			  : answer(ctx, open(path, integer(ctx, argv[1]) | O_CLOEXEC, integer(ctx, argv[2])));
}

HOST_FUNCTION(files_close)
{
	return answer(ctx, close(integer(ctx, argv[0])));
}

HOST_FUNCTION(files_truncate)
{
	return answer(ctx, ftruncate(integer(ctx, argv[0]), wide(ctx, argv[1])));
}

/* fd, bytes, offset, length, position; the part of `bytes` that they name, NULL if it lies outside. */
static uint8_t *part_of(JSContext *ctx, JSValueConst *argv, size_t *length)
{
	size_t size = 0;
	uint8_t *bytes = bytes_of(ctx, argv[1], &size);
	int64_t offset = wide(ctx, argv[2]), wanted = wide(ctx, argv[3]);

	if (!bytes || offset < 0 || wanted < 0 || offset > (int64_t)size || wanted > (int64_t)size - offset)
		return NULL;
	*length = (size_t)wanted;
	return bytes + offset;
}

static void unmap(JSRuntime *runtime, void *size, void *bytes)
{
	munmap(bytes, (size_t)size);
}

/* Memory that files can be mapped into: readSync of a whole index then costs the pages that are looked at, not a copy of all. */
HOST_FUNCTION(files_allocate)
{
	size_t size = (size_t)wide(ctx, argv[0]);
	void *memory = is_warming ? NULL : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!memory)
		return owned_bytes(ctx, calloc(1, size), size);
	if (memory == MAP_FAILED)
		return JS_ThrowOutOfMemory(ctx);
	return JS_NewArrayBuffer(ctx, memory, size, unmap, (void *)size, 0);
}

/*
 * Maps a regular file's rest into memory of files_allocate instead of reading it: how many bytes, or 0 where that does not go. kmod maps
 * its indexes, too, and what changes a tree replaces its files.
 */
static ssize_t map_rest(int fd, uint8_t *into, size_t length)
{
	off_t at = lseek(fd, 0, SEEK_CUR);
	struct stat stat;
	off_t rest;

	if (at < 0 || (at | (off_t)(uintptr_t)into) % 4096 != 0 || fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode))
		return 0;
	rest = stat.st_size - at;
	if (rest < MAPPED_FROM || rest > (off_t)length)
		return 0;
	if (mmap(into, (size_t)rest, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, at) == MAP_FAILED)
		return 0;
	lseek(fd, stat.st_size, SEEK_SET);
	return rest;
}

HOST_FUNCTION(files_read)
{
	ssize_t mapped;

	int fd = integer(ctx, argv[0]);
	int64_t position = wide(ctx, argv[4]);
	size_t length;
	uint8_t *into = part_of(ctx, argv, &length);

	if (!into)
		return JS_ThrowRangeError(ctx, "read: outside the buffer");
	mapped = length >= MAPPED_FROM && position < 0 && !is_warming ? map_rest(fd, into, length) : 0;
	if (mapped > 0)
		return JS_NewInt64(ctx, mapped);
	return answer(ctx, position < 0 ? read(fd, into, length) : pread(fd, into, length, position));
}

HOST_FUNCTION(files_write)
{
	int fd = integer(ctx, argv[0]);
	int64_t position = wide(ctx, argv[4]);
	size_t length;
	uint8_t *from = part_of(ctx, argv, &length);

	if (!from)
		return JS_ThrowRangeError(ctx, "write: outside the buffer");
	if (is_warming && fd < 3)
		return JS_NewInt64(ctx, (int64_t)length);
	return answer(ctx, position < 0 ? write(fd, from, length) : pwrite(fd, from, length, position));
}

static JSValue read_all(JSContext *ctx, int fd)
{
	size_t capacity, size = 0;
	struct stat stat;
	uint8_t *bytes;

	if (fstat(fd, &stat) != 0)
		return answer(ctx, -1);
	if (S_ISREG(stat.st_mode) && stat.st_size >= MAPPED_FROM && !is_warming) {
		size_t length = (size_t)stat.st_size;
		void *map = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

		if (map != MAP_FAILED)
			return JS_NewArrayBuffer(ctx, map, length, unmap, (void *)length, 0);
	}
	capacity = S_ISREG(stat.st_mode) && stat.st_size > 0 ? (size_t)stat.st_size + 1 : 4096;
	bytes = malloc(capacity);
	for (;;) {
		ssize_t got;

		if (bytes && size == capacity) {
			uint8_t *grown = realloc(bytes, capacity *= 2);

			if (!grown)
				free(bytes);
			bytes = grown;
		}
		if (!bytes)
			return JS_NewInt32(ctx, -ENOMEM);
		got = read(fd, bytes + size, capacity - size);
		if (got == 0)
			break;
		if (got < 0) {
			int error = errno;

			free(bytes);
			return JS_NewInt32(ctx, -error);
		}
		size += (size_t)got;
	}
	return owned_bytes(ctx, bytes, size);
}

HOST_FUNCTION(files_read_whole)
{
	char path[PATH_MAX];
	JSValue value;
	int fd, error;

	if (JS_IsNumber(argv[0]))
		return read_all(ctx, integer(ctx, argv[0]));
	error = path_of(ctx, argv[0], path);
	if (error != 0)
		return JS_NewInt32(ctx, error);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return answer(ctx, fd);
	value = read_all(ctx, fd);
	close(fd);
	return value;
}

HOST_FUNCTION(files_stat)
{
	struct stat stat_;
	int result;

	if (JS_IsNumber(argv[0])) {
		result = fstat(integer(ctx, argv[0]), &stat_);
	} else {
		char path[PATH_MAX];

		result = path_of(ctx, argv[0], path);
		if (result != 0)
			return JS_NewInt32(ctx, result);
		result = JS_ToBool(ctx, argv[1]) ? lstat(path, &stat_) : stat(path, &stat_);
	}
	if (result != 0)
		return answer(ctx, result);
	const double values[] = {stat_.st_mode,		stat_.st_size, (double)stat_.st_ino, stat_.st_mtim.tv_sec,
				 stat_.st_mtim.tv_nsec, stat_.st_rdev, stat_.st_uid,	     stat_.st_gid,
				 stat_.st_dev,		stat_.st_nlink};
	JSValue list = JS_NewArray(ctx);

	for (uint32_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		JS_SetPropertyUint32(ctx, list, i, number(ctx, values[i]));
	return list;
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("open", 3, files_open),
	JS_CFUNC_DEF("close", 1, files_close),
	JS_CFUNC_DEF("allocate", 1, files_allocate),
	JS_CFUNC_DEF("read", 5, files_read),
	JS_CFUNC_DEF("write", 5, files_write),
	JS_CFUNC_DEF("readWhole", 1, files_read_whole),
	JS_CFUNC_DEF("stat", 2, files_stat),
	JS_CFUNC_DEF("truncate", 2, files_truncate),
};
const struct host_part host_files = {functions, sizeof(functions) / sizeof(*functions)};
