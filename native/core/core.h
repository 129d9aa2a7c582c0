#ifndef PLUGD_CORE_H
#define PLUGD_CORE_H
/*
 * System calls that neither Node nor QuickJS has, in C and without either: the addon and plugd-lite
 * (native/lite/host) are thin bindings over them. Each answers 0, a value, or -errno, and knows no policy.
 * agent/base/addon.ts documents what each is for.
 */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that grow; begin with all zero, end with plugd_text_free. */
struct plugd_text {
	char *data;
	size_t size;
	size_t capacity;
};

/* 0 or -ENOMEM. */
int plugd_text_append(struct plugd_text *text, const char *bytes, size_t size);
void plugd_text_free(struct plugd_text *text);

/* keyring.c: how many keys, of which the first `most` are in `keys`. */
long plugd_read_keyring(int32_t id, int32_t *keys, size_t most);

/* linked_devices.c: appends to `out` what readLinkedDevices answers for one folder, with its end: 0 or -ENOMEM. */
int plugd_linked_devices(const char *folder, int modalias, struct plugd_text *out);

/* lock.c */
int plugd_lock_file(int fd);

/* netlink_socket.c */
int plugd_netlink_descriptor(uint32_t port_id);
int plugd_set_receive_buffer(int fd, int bytes);
int plugd_set_no_enobufs(int fd);

/* notify.c */
int plugd_notify(const char *path, size_t path_size, const char *message, size_t size);
long plugd_send_now(int fd, const void *bytes, size_t size);
int plugd_set_non_blocking(int fd);

/* open_in_root.c: `path` may hold any bytes; one with a NUL is -EINVAL. */
int plugd_open_in_root(const char *root, const char *path, size_t size, uint64_t flags);

/* module_calls.c */
enum plugd_call_kind { PLUGD_FINIT, PLUGD_INIT, PLUGD_DELETE };

/*
 * A module call, from malloc and all its memory its own: JavaScript's memory is gone when plugd ends, while the kernel may still be
 * reading it. The caller fills in the first part; `done` gets it on the call's thread and frees it.
 */
struct plugd_call {
	enum plugd_call_kind kind;
	int fd;
	unsigned flags;
	char *text; /* parameters, or the name to delete */
	uint8_t *image;
	size_t image_size;
	uint64_t id;
	void (*done)(struct plugd_call *call, void *owner);
	void *owner;

	int64_t result; /* -EINTR if the child was killed before it left one */
	int64_t started_ns;
	int64_t ended_ns;
};

/* Begins it in a task of its own: 0 or -errno, and then `done` is never called. */
int plugd_call_start(struct plugd_call *call);
void plugd_call_free(struct plugd_call *call);
/* CLOCK_MONOTONIC. */
int64_t plugd_monotonic_ns(void);

#ifdef __cplusplus
}
#endif
#endif
