/* Sends without ever blocking (-EAGAIN instead): a service manager or a log's reader that does not read must not stop the agent. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core.h"

/* Sends one datagram to a unix socket, as sd_notify(3) does. */
int plugd_notify(const char *path, size_t path_size, const char *message, size_t size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length = offsetof(struct sockaddr_un, sun_path) + path_size;
	int fd, result;

	if (path_size == 0 || (path[0] != '/' && path[0] != '@'))
		return -EAFNOSUPPORT;
	if (path_size >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, path_size);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	else
		length++; /* its NUL */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	result = sendto(fd, message, size, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address, length) < 0 ? -errno
														  : 0;
	close(fd);
	return result;
}

long plugd_send_now(int fd, const void *bytes, size_t size)
{
	/* The flags are of this one call: others who have the socket wait as before. */
	ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);

	return sent < 0 ? -errno : sent;
}

int plugd_set_non_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ? -errno : 0;
}
