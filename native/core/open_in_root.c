/*
 * openat2(2) with RESOLVE_IN_ROOT resolves a path as if `root` were the root directory. Neither an absolute link, nor `..`, nor a link
 * that someone changes in the meantime leads out of it. Linux 5.6 has it; C libraries have no wrapper, and older kernel headers lack
 * the struct, so it is defined here. Source: openat2(2), include/uapi/linux/openat2.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core.h"

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

#define RESOLVE_NO_MAGICLINKS 0x02
#define RESOLVE_IN_ROOT 0x10
/* A `..` that races with a rename gives EAGAIN; the kernel asks its callers to try again. */
#define TRIES 64

struct open_how {
	uint64_t flags;
	uint64_t mode;
	uint64_t resolve;
};

int plugd_open_in_root(const char *root, const char *path, size_t size, uint64_t flags)
{
	const struct open_how how = {flags | O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	int answer = -EAGAIN;
	char text[PATH_MAX];
	int top;

	/* An embedded NUL would cut the path short. */
	if (size > 0 && memchr(path, '\0', size))
		return -EINVAL;
	if (size >= sizeof(text))
		return -ENAMETOOLONG;
	memcpy(text, size == 0 ? "/" : path, size == 0 ? 1 : size);
	text[size == 0 ? 1 : size] = '\0';
	top = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		answer = -errno;
	for (int i = 0; i < TRIES && answer == -EAGAIN; i++) {
		long fd = syscall(SYS_openat2, top, text, &how, sizeof(how));

		answer = fd < 0 ? -errno : (int)fd;
	}
	if (top >= 0)
		close(top);
	return answer;
}
