#ifndef PLUGD_NETLINK_H
#define PLUGD_NETLINK_H
/* What plugd needs of linux/netlink.h: musl's compiler sees no headers of the kernel. */
#include <stdint.h>

struct sockaddr_nl {
	unsigned short nl_family;
	unsigned short nl_pad;
	uint32_t nl_pid;
	uint32_t nl_groups;
};

#define NETLINK_KOBJECT_UEVENT 15
#define NETLINK_NO_ENOBUFS 5
#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

#endif
