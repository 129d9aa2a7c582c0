/* The uevent socket, and the socket on which the request helper asks. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/core.h"
#include "core/netlink.h"
#include "host.h"

/* Datagrams that are heard before others get their turn. */
#define MOST_AT_ONCE 64
#define BACKLOG 128
#define LONGEST_LINE 65536

struct netlink {
	JSValue heard;
	size_t size;
};

static void hear(JSContext *ctx, int fd, void *data)
{
	struct netlink *socket = data;
	uint8_t *bytes = malloc(socket->size);

	for (int i = 0; bytes && i < MOST_AT_ONCE; i++) {
		struct sockaddr_nl sender = {0};
		struct iovec part = {bytes, socket->size};
		struct msghdr message = {.msg_name = &sender, .msg_namelen = sizeof(sender), .msg_iov = &part, .msg_iovlen = 1};
		ssize_t count = recvmsg(fd, &message, MSG_DONTWAIT);
		JSValue work;

		if (count < 0)
			break;
		JSValue values[] = {JS_NewArrayBufferCopy(ctx, bytes, (size_t)count), JS_NewInt64(ctx, sender.nl_pid),
				    JS_NewInt64(ctx, sender.nl_groups),
				    JS_NewBool(ctx, (message.msg_flags & MSG_TRUNC) != 0)};

		work = JS_DupValue(ctx, socket->heard);
		call_back(ctx, work, 4, values);
		JS_FreeValue(ctx, work);
		/* It may have closed the socket. */
		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &(int){0}, &(socklen_t){sizeof(int)}) != 0)
			break;
	}
	free(bytes);
}

HOST_FUNCTION(sockets_netlink)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, integer(ctx, argv[0]));
	struct sockaddr_nl address = {.nl_family = AF_NETLINK,
				      .nl_pid = (uint32_t)wide(ctx, argv[1]),
				      .nl_groups = (uint32_t)wide(ctx, argv[2])};
	struct netlink *data = malloc(sizeof(*data));

	if (fd < 0 || !data || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		int error = data ? errno : ENOMEM;

		if (fd >= 0)
			close(fd);
		free(data);
		return JS_NewInt32(ctx, -error);
	}
	*data = (struct netlink){JS_DupValue(ctx, argv[4]), (size_t)wide(ctx, argv[3])};
	watch_fd(fd, hear, data, true);
	return JS_NewInt32(ctx, fd);
}

/* A connection to the socket of requests; its descriptor is its number. */
struct connection {
	JSValue line;
	char *text;
	size_t size;
	bool is_told;
};

static void drop(JSContext *ctx, int fd)
{
	struct connection *connection = unwatch_fd(fd);

	close(fd);
	if (!connection)
		return;
	JS_FreeValue(ctx, connection->line);
	free(connection->text);
	free(connection);
}

static void read_line(JSContext *ctx, int fd, void *data)
{
	struct connection *connection = data;
	char *end;
	ssize_t count;

	if (connection->size >= LONGEST_LINE)
		return drop(ctx, fd);
	count = recv(fd, connection->text + connection->size, LONGEST_LINE - connection->size, MSG_DONTWAIT);
	if (count <= 0) {
		if (count == 0 || (errno != EAGAIN && errno != EINTR))
			drop(ctx, fd);
		return;
	}
	/* A connection may send one line. */
	if (connection->is_told)
		return;
	connection->size += (size_t)count;
	end = memchr(connection->text, '\n', connection->size);
	if (!end)
		return;
	connection->is_told = true;
	JSValue values[] = {JS_NewInt32(ctx, fd),
			    plugd_latin1(ctx, (uint8_t *)connection->text, (size_t)(end - connection->text))};
	JSValue line = JS_DupValue(ctx, connection->line);

	connection->size = 0;
	call_back(ctx, line, 2, values);
	JS_FreeValue(ctx, line);
}

static void accept_one(JSContext *ctx, int server, void *data)
{
	struct connection *listener = data;
	int fd = accept4(server, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct connection *connection = fd < 0 ? NULL : calloc(1, sizeof(*connection));

	if (fd < 0)
		return;
	if (connection)
		connection->text = malloc(LONGEST_LINE);
	if (!connection || !connection->text || !watch_fd(fd, read_line, connection, false)) {
		if (connection)
			free(connection->text);
		free(connection);
		close(fd);
		return;
	}
	connection->line = JS_DupValue(ctx, listener->line);
}

HOST_FUNCTION(sockets_listen)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct connection *listener = calloc(1, sizeof(*listener));
	char path[PATH_MAX];
	int fd = -1, error = listener ? -path_of(ctx, argv[0], path) : ENOMEM;

	if (error == 0 && strlen(path) >= sizeof(address.sun_path))
		error = ENAMETOOLONG;
	if (error == 0) {
		mode_t before = umask(0177); /* the socket never exists with any mode but 0600 */

		strcpy(address.sun_path, path);
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, BACKLOG) != 0)
			error = errno;
		umask(before);
	}
	if (error != 0) {
		if (fd >= 0)
			close(fd);
		free(listener);
		return JS_NewInt32(ctx, -error);
	}
	listener->line = JS_DupValue(ctx, argv[1]);
	/* Waiting for requests alone must not keep the program alive. */
	watch_fd(fd, accept_one, listener, false);
	return JS_NewInt32(ctx, fd);
}

HOST_FUNCTION(sockets_send)
{
	int fd = integer(ctx, argv[0]);
	size_t size;
	uint8_t *bytes = plugd_latin1_bytes(ctx, argv[1], &size);
	/* A peer that cannot take even these few bytes goes without an answer: the helper then runs modprobe. */
	bool is_sent = bytes && plugd_send_now(fd, bytes, size) == (long)size;

	free(bytes);
	if (!is_sent || JS_ToBool(ctx, argv[2]))
		drop(ctx, fd);
	return JS_UNDEFINED;
}

HOST_FUNCTION(sockets_unwatch)
{
	/* Its function stays referenced: it may be running. */
	int fd = integer(ctx, argv[0]);

	unwatch_fd(fd);
	close(fd);
	return JS_UNDEFINED;
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("netlink", 5, sockets_netlink),
	JS_CFUNC_DEF("listen", 2, sockets_listen),
	JS_CFUNC_DEF("send", 3, sockets_send),
	JS_CFUNC_DEF("unwatch", 1, sockets_unwatch),
};
const struct host_part host_sockets = {functions, sizeof(functions) / sizeof(*functions)};
