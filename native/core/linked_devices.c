/*
 * Reads the devices that folders of sysfs link to, with their uevent and modalias files: some five system calls for each of a machine's
 * thousand devices. Through Node's fs each costs ten times the call itself, all on the main thread, while the first driver waits.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core.h"

/* Appends the file's text up to a NUL, because a NUL ends each field of the result: 0, -ENOMEM, or -EIO when it cannot be read. */
static int append_file(int folder, const char *device, const char *name, struct plugd_text *out)
{
	char buffer[8192]; /* a sysfs attribute has at most one page and comes in one read */
	char path[2 * NAME_MAX + 2];
	ssize_t count;
	int fd, error = 0;

	snprintf(path, sizeof(path), "%s/%s", device, name);
	fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -EIO;
	do {
		count = read(fd, buffer, sizeof(buffer));
		if (count > 0)
			error = plugd_text_append(out, buffer, strnlen(buffer, (size_t)count));
	} while (count == (ssize_t)sizeof(buffer) && error == 0);
	close(fd);
	return count < 0 ? -EIO : error;
}

static int has_modalias(const char *text, size_t size)
{
	static const char key[] = "MODALIAS=";
	const char *at = text, *end = text + size;

	while (at && (size_t)(end - at) >= sizeof(key) - 1) {
		if (memcmp(at, key, sizeof(key) - 1) == 0)
			return 1;
		at = memchr(at, '\n', (size_t)(end - at));
		if (at)
			at++;
	}
	return 0;
}

static int append_device(int folder, const char *name, int modalias, struct plugd_text *out)
{
	char target[PATH_MAX];
	ssize_t length = readlinkat(folder, name, target, sizeof(target));
	size_t begin = out->size, text, attribute;
	int wanted, error;

	if (length <= 0)
		return 0; /* an attribute of the class, or a device that is already gone */
	error = plugd_text_append(out, target, (size_t)length);
	if (error == 0)
		error = plugd_text_append(out, "", 1);
	if (error != 0)
		return error;
	text = out->size;
	error = append_file(folder, name, "uevent", out);
	if (error == -EIO) {
		out->size = begin;
		return 0;
	}
	wanted = modalias && !has_modalias(out->data + text, out->size - text);
	if (error == 0)
		error = plugd_text_append(out, "", 1);
	if (error != 0)
		return error;
	attribute = out->size;
	if (wanted && append_file(folder, name, "modalias", out) != 0)
		out->size = attribute;
	return plugd_text_append(out, "", 1);
}

static int is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int plugd_linked_devices(const char *path, int modalias, struct plugd_text *out)
{
	struct dirent **names = NULL;
	int count = scandir(path, &names, is_shown, by_bytes);
	int folder = count < 0 ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = 0;

	for (int i = 0; i < count; i++) {
		if (folder >= 0 && error == 0)
			error = append_device(folder, names[i]->d_name, modalias, out);
		free(names[i]);
	}
	free(names);
	if (folder >= 0)
		close(folder);
	/* No target: the folder's end. */
	return error != 0 ? error : plugd_text_append(out, "", 1);
}
