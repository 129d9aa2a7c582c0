/*
 * The ids of the keys in a keyring: keyctl(KEYCTL_READ), which C libraries do not wrap. /proc/keys lists keys without naming their
 * keyrings. Reads only.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core.h"

#define KEYCTL_READ 11 /* linux/keyctl.h */

long plugd_read_keyring(int32_t id, int32_t *keys, size_t most)
{
	/* The result is the whole size, even if not all of it fitted. */
	long bytes = syscall(SYS_keyctl, (long)KEYCTL_READ, (long)id, keys, most * sizeof(*keys), 0L);

	return bytes < 0 ? -errno : bytes / (long)sizeof(*keys);
}
