/*
 * inserter THREADS LIST: inserts the modules of a list as fast as threads and their order allow, and nothing else: no
 * device is read, nothing is looked up. It is the floor that plugd's coldplug is measured against.
 *
 * A line of the list: the module's path, then the numbers (from 0) of the lines that must come before it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct module {
	char *path;
	int waits;	       /* for so many lines yet */
	int *followers, count; /* the lines that wait for this one */
};

static struct module *modules;
static int count, left, failed;
static int *ready, first, last;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static int insert(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int error = syscall(SYS_finit_module, fd, "", 0) ? errno : 0;
	close(fd);
	return error == EEXIST ? 0 : error;
}

static void *work(void *unused)
{
	pthread_mutex_lock(&lock);
	while (left > 0) {
		if (first == last) {
			pthread_cond_wait(&changed, &lock);
			continue;
		}
		struct module *m = &modules[ready[first++]];
		pthread_mutex_unlock(&lock);
		int error = insert(m->path);
		pthread_mutex_lock(&lock);
		if (error) {
			fprintf(stderr, "%s: %s\n", m->path, strerror(error));
			failed = 1;
		}
		for (int i = 0; i < m->count; i++)
			if (--modules[m->followers[i]].waits == 0)
				ready[last++] = m->followers[i];
		left--;
		pthread_cond_broadcast(&changed);
	}
	pthread_mutex_unlock(&lock);
	return unused;
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t room = 0;
	FILE *list = argc == 3 ? fopen(argv[2], "r") : NULL;
	if (!list) {
		fprintf(stderr, "usage: inserter THREADS LIST\n");
		return 64;
	}
	while (getline(&line, &room, list) > 0) {
		modules = realloc(modules, (count + 1) * sizeof *modules);
		struct module *m = &modules[count];
		memset(m, 0, sizeof *m);
		m->path = strdup(strtok(line, " \n"));
		for (char *word; (word = strtok(NULL, " \n")); m->waits++) {
			struct module *before = &modules[atoi(word)];
			before->followers = realloc(before->followers, (before->count + 1) * sizeof(int));
			before->followers[before->count++] = count;
		}
		count++;
	}
	ready = calloc(count, sizeof *ready);
	for (int i = 0; i < count; i++)
		if (modules[i].waits == 0)
			ready[last++] = i;
	left = count;

	int threads = atoi(argv[1]);
	pthread_t *ids = calloc(threads, sizeof *ids);
	for (int i = 0; i < threads; i++)
		pthread_create(&ids[i], NULL, work, NULL);
	for (int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	return failed;
}
