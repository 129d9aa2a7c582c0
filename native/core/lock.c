/*
 * flock(2): the kernel's one lock that vanishes with its holder, however the holder ends, and that checks and takes in one step. Node
 * has no call for it.
 */
#include <errno.h>
#include <sys/file.h>

#include "core.h"

int plugd_lock_file(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno;
}
