/* The devices that folders of sysfs link to, read at once or on another thread while this one goes on. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "core/core.h"
#include "host.h"

/* Folders that are to be read, in the order of their requests: what is asked for first is needed first. */
struct reading {
	struct reading *next;
	char **folders;
	bool modalias;
	uint64_t id;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct reading *first, **last = &first;
static bool is_running;

/* Devices beyond the memory there is are left out, as those that cannot be read are. */
static struct plugd_text read_folders(char **folders, bool modalias)
{
	struct plugd_text out = {0};

	for (char **folder = folders; folder && *folder; folder++) {
		if (plugd_linked_devices(*folder, modalias, &out) != 0)
			break;
	}
	return out;
}

static void *read_all(void *nothing)
{
	for (;;) {
		struct reading *one;

		pthread_mutex_lock(&lock);
		one = first;
		is_running = one != NULL;
		if (one) {
			first = one->next;
			if (!first)
				last = &first;
		}
		pthread_mutex_unlock(&lock);
		if (!one)
			return NULL;
		tell_loop(&(struct event){
			.kind = EVENT_TEXT, .id = one->id, .text = read_folders(one->folders, one->modalias)});
		free_words(one->folders);
		free(one);
	}
}

/* Signals are the main thread's. */
static bool start_thread(void)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int error;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, &attributes, read_all, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return error == 0;
}

HOST_FUNCTION(devices_linked)
{
	char **folders = words_of(ctx, argv[0], NULL);
	struct plugd_text out = read_folders(folders, JS_ToBool(ctx, argv[1]));
	JSValue value = plugd_latin1(ctx, (const uint8_t *)(out.data ? out.data : ""), out.size);

	plugd_text_free(&out);
	free_words(folders);
	return value;
}

HOST_FUNCTION(devices_linked_later)
{
	struct reading *one = malloc(sizeof(*one));
	bool must_start;

	if (!one)
		return JS_ThrowOutOfMemory(ctx);
	*one = (struct reading){NULL, words_of(ctx, argv[0], NULL), JS_ToBool(ctx, argv[1]), expect_event(ctx, argv[2])};
	pthread_mutex_lock(&lock);
	*last = one;
	last = &one->next;
	must_start = !is_running;
	is_running = true;
	pthread_mutex_unlock(&lock);
	/* Without a thread this one reads; a heap that is copied must be the same whenever another thread would be done. */
	if (must_start && (is_warming || !start_thread()))
		read_all(NULL);
	return JS_UNDEFINED;
}

static const JSCFunctionListEntry functions[] = {
	JS_CFUNC_DEF("linkedDevices", 2, devices_linked),
	JS_CFUNC_DEF("linkedDevicesLater", 3, devices_linked_later),
};
const struct host_part host_devices = {functions, sizeof(functions) / sizeof(*functions)};
