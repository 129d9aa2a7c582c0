/* Names: folders, links, and what files are called. */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"

/* Calls `work` with the path of the first argument. */
#define WITH_PATH(work)                                                                                                \
	do {                                                                                                           \
		char path[PATH_MAX];                                                                                   \
		int error = path_of(ctx, argv[0], path);                                                               \
                                                                                                                       \
		return error != 0 ? JS_NewInt32(ctx, error) : answer(ctx, work);                                       \
	} while (0)

HOST_FUNCTION(names_access)
{
	WITH_PATH(access(path, integer(ctx, argv[1])));
}

HOST_FUNCTION(names_make_folder)
{
	WITH_PATH(mkdir(path, (mode_t)integer(ctx, argv[1])));
}

HOST_FUNCTION(names_unlink)
{
	WITH_PATH(unlink(path));
}

typedef int two_paths(const char *first, const char *second);

static JSValue with_two(JSContext *ctx, JSValueConst *argv, two_paths *work)
{
	char first[PATH_MAX], second[PATH_MAX];
	int error = path_of(ctx, argv[0], first);

	if (error == 0)
		error = path_of(ctx, argv[1], second);
	return error != 0 ? JS_NewInt32(ctx, error) : answer(ctx, work(first, second));
}

HOST_FUNCTION(names_rename)
{
	return with_two(ctx, argv, rename);
}

HOST_FUNCTION(names_link)
{
	return with_two(ctx, argv, symlink);
}

HOST_FUNCTION(names_read_folder)
{
	char path[PATH_MAX];
	struct dirent *entry;
	uint32_t count = 0;
	int error = path_of(ctx, argv[0], path);
	JSValue list;
	DIR *folder;

	if (error != 0)
		return JS_NewInt32(ctx, error);
	folder = opendir(path);
	if (!folder)
		return answer(ctx, -1);
	list = JS_NewArray(ctx);
	while ((entry = readdir(folder))) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		JS_SetPropertyUint32(ctx, list, count++, plugd_latin1(ctx, (const uint8_t *)name, strlen(name)));
		JS_SetPropertyUint32(ctx, list, count++, JS_NewInt32(ctx, entry->d_type));
	}
	closedir(folder);
	return list;
}

HOST_FUNCTION(names_read_link)
{
	char path[PATH_MAX], target[PATH_MAX];
	int error = path_of(ctx, argv[0], path);
	ssize_t size;

	if (error != 0)
		return JS_NewInt32(ctx, error);
	size = readlink(path, target, sizeof(target));
	return size < 0 ? answer(ctx, size) : plugd_latin1(ctx, (const uint8_t *)target, (size_t)size);
}

HOST_FUNCTION(names_real_path)
{
	char path[PATH_MAX], real[PATH_MAX];
	int error = path_of(ctx, argv[0], path);
	const char *found;

	if (error != 0)
		return JS_NewInt32(ctx, error);
	found = realpath(path, real);
	return found ? plugd_latin1(ctx, (const uint8_t *)found, strlen(found)) : answer(ctx, -1);
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("access", 2, names_access),
	JS_CFUNC_DEF("readFolder", 1, names_read_folder),
	JS_CFUNC_DEF("readLink", 1, names_read_link),
	JS_CFUNC_DEF("realPath", 1, names_real_path),
	JS_CFUNC_DEF("makeFolder", 2, names_make_folder),
	JS_CFUNC_DEF("unlink", 1, names_unlink),
	JS_CFUNC_DEF("rename", 2, names_rename),
	JS_CFUNC_DEF("link", 2, names_link),
};
const struct host_part host_names = {functions, sizeof(functions) / sizeof(*functions)};
