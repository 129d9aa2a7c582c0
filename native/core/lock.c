/*
 * plugd_lock_file: flock(2), exclusive and without waiting; 0, or -errno (-EWOULDBLOCK: another has it). Node has no call for it. The lock
 * belongs to the open file: it goes when its last descriptor is closed, however the process ends, so the file must not be inherited.
 */
#include <errno.h>
#include <sys/file.h>

#include "core.h"

int plugd_lock_file(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno;
}
