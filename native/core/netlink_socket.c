/* Sets options of a netlink socket that the netlink package makes and hides; finds its descriptor by its port id. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "core.h"
#include "netlink.h"

/* A port id is unique within one protocol only: a NETLINK_ROUTE socket of the C library can have the same one. */
static int is_uevent_socket(int fd, uint32_t port_id)
{
	struct sockaddr_nl address = {0};
	socklen_t length = sizeof(address);
	int protocol = -1;

	if (getsockname(fd, (struct sockaddr *)&address, &length) != 0)
		return 0;
	if (address.nl_family != AF_NETLINK || address.nl_pid != port_id)
		return 0;
	length = sizeof(protocol);
	return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) == 0 && protocol == NETLINK_KOBJECT_UEVENT;
}

int plugd_netlink_descriptor(uint32_t port_id)
{
	/* Trying each number needs no /proc, which an initramfs may not have mounted yet. Low numbers are used first. */
	struct rlimit limit = {0};
	int end;

	getrlimit(RLIMIT_NOFILE, &limit);
	end = limit.rlim_cur < 65536 ? (int)limit.rlim_cur : 65536;
	for (int fd = 0; fd < end; fd++) {
		if (is_uevent_socket(fd, port_id))
			return fd;
	}
	return -ENOENT;
}

int plugd_set_receive_buffer(int fd, int bytes)
{
	socklen_t length = sizeof(bytes);

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) != 0)
		return -errno;
	return getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &length) == 0 ? bytes : -errno;
}

int plugd_set_no_enobufs(int fd)
{
	int on = 1;

	return setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on)) == 0 ? 0 : -errno;
}
