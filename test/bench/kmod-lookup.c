/*
 * The reference for plugd's matcher: lookups through libkmod, as modprobe -R and udev make them.
 *
 *     kmod-lookup MODULE-DIR < NAMES            NAME<TAB>module,module for each line, each module once, in libkmod's order
 *     kmod-lookup MODULE-DIR --time SECONDS     the same lookups in whole rounds until so many seconds are over;
 *                                               prints the number of lookups, the nanoseconds they took (by the clock
 *                                               and of the processor), the modules found, the greatest resident set in KiB
 *
 * In timing mode the names are read into memory first, and up to 1,000 lookups without a clock warm the caches. Configuration files take
 * no part: both sides are to search the same indexes. The names are read and written as bytes; they cannot contain NUL.
 */
#include <libkmod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static long long now(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* An error (a bracket without a partner) is an answer of no modules, as for modprobe. */
static struct kmod_list *lookup(struct kmod_ctx *ctx, const char *name)
{
	struct kmod_list *list = NULL;
	if (kmod_module_new_from_lookup(ctx, name, &list) < 0)
		return NULL;
	return list;
}

static int is_repeated(struct kmod_list *list, struct kmod_list *item, const char *name)
{
	struct kmod_list *l;
	for (l = list; l != item; l = kmod_list_next(list, l)) {
		struct kmod_module *mod = kmod_module_get_module(l);
		int same = strcmp(kmod_module_get_name(mod), name) == 0;
		kmod_module_unref(mod);
		if (same)
			return 1;
	}
	return 0;
}

static void answer(struct kmod_ctx *ctx, const char *name)
{
	struct kmod_list *list = lookup(ctx, name), *l;
	const char *separator = "";
	printf("%s\t", name);
	kmod_list_foreach(l, list) {
		struct kmod_module *mod = kmod_module_get_module(l);
		const char *module = kmod_module_get_name(mod);
		if (!is_repeated(list, l, module)) {
			printf("%s%s", separator, module);
			separator = ",";
		}
		kmod_module_unref(mod);
	}
	putchar('\n');
	kmod_module_unref_list(list);
}

int main(int argc, char **argv)
{
	const char *no_config[] = { "/dev/null", NULL };
	double seconds = argc == 4 && strcmp(argv[2], "--time") == 0 ? atof(argv[3]) : 0;
	struct kmod_ctx *ctx;
	char **names = NULL, *line = NULL;
	size_t count = 0, room = 0, size = 0;
	ssize_t length;
	struct rusage usage;
	long long begun, spent, cpu, lookups = 0, found = 0;

	if (argc != 2 && seconds <= 0) {
		fprintf(stderr, "usage: kmod-lookup MODULE-DIR [--time SECONDS] < NAMES\n");
		return 64;
	}
	ctx = kmod_new(argv[1], no_config);
	if (ctx == NULL)
		return 71;
	/* Without its indexes loaded libkmod opens the files again for each lookup, 3 to 6 times slower. */
	if (kmod_load_resources(ctx) < 0)
		fprintf(stderr, "kmod-lookup: some indexes of %s are missing\n", argv[1]);
	while ((length = getline(&line, &size, stdin)) > 0) {
		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		if (seconds <= 0) {
			answer(ctx, line);
			continue;
		}
		if (count == room)
			names = realloc(names, (room = room ? 2 * room : 1024) * sizeof *names);
		names[count++] = strdup(line);
	}
	if (seconds > 0 && count > 0) {
		size_t i;
		for (i = 0; i < count && i < 1000; i++)
			kmod_module_unref_list(lookup(ctx, names[i]));
		begun = now(CLOCK_MONOTONIC);
		cpu = now(CLOCK_PROCESS_CPUTIME_ID);
		do {
			for (i = 0; i < count; i++) {
				struct kmod_list *list = lookup(ctx, names[i]), *l;
				kmod_list_foreach(l, list)
					found++;
				kmod_module_unref_list(list);
				lookups++;
			}
			spent = now(CLOCK_MONOTONIC) - begun;
		} while (spent < seconds * 1e9);
		cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
		getrusage(RUSAGE_SELF, &usage);
		printf("%lld %lld %lld %lld %ld\n", lookups, spent, cpu, found, usage.ru_maxrss);
	}
	kmod_unref(ctx);
	return 0;
}
