/*
 * finit_module(2), init_module(2), delete_module(2): each call in a task of its own.
 *
 * A module's init runs inside the system call and may sleep for minutes, or forever, where no signal reaches it. Three things must
 * hold meanwhile. Nothing else in plugd waits, so calls do not run on libuv's pool: each has its own thread. Nothing disturbs the
 * init: a signal, or the end of plugd, would make an interruptible sleep inside a driver fail. And plugd can end.
 *
 * A thread alone does not give the last two: a process is gone for its parent only when its last thread is, so one thread stuck in
 * the kernel would keep `plugd coldplug` from ending, and ending it would kill the thread. So the thread makes a child with
 * vfork(2), which shares the memory but is a process of its own. The thread sleeps, killably, until the child has made the call and
 * left its result here. If plugd ends first, the child continues undisturbed, and the kernel keeps the shared memory until it is
 * done. Each call costs some 50 us. Without a child (vfork refused) the thread makes the call.
 * The child blocks all signals (Ctrl-C goes to the whole process group) and closes every descriptor but the module's: it must not
 * hold the agent's lock, sockets or standard output open after the agent is gone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core.h"

#ifndef SYS_close_range
#define SYS_close_range 436 /* the same on every architecture */
#endif

int64_t plugd_monotonic_ns(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void plugd_call_free(struct plugd_call *call)
{
	free(call->text);
	free(call->image);
	free(call);
}

static void make_call(struct plugd_call *call)
{
	long result = -1;
	int error;

	call->started_ns = plugd_monotonic_ns();
	switch (call->kind) {
	case PLUGD_FINIT:
		result = syscall(SYS_finit_module, call->fd, call->text, call->flags);
		break;
	case PLUGD_INIT:
		result = syscall(SYS_init_module, call->image, call->image_size, call->text);
		break;
	case PLUGD_DELETE:
		result = syscall(SYS_delete_module, call->text, call->flags);
		break;
	}
	error = errno;
	call->ended_ns = plugd_monotonic_ns();
	call->result = result < 0 ? -error : 0;
}

static void close_range_of(unsigned first, unsigned last)
{
	if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
		return;
	for (unsigned fd = first; fd <= last && fd < 1024; fd++)
		close((int)fd); /* before Linux 5.9 */
}

/* The child runs on this thread's stack, so nothing but the call and what is safe between vfork and _exit may happen here. */
static __attribute__((noinline)) pid_t call_in_child(struct plugd_call *call)
{
	pid_t pid = vfork();

	if (pid != 0)
		return pid;
	if (call->fd > 0)
		close_range_of(0, (unsigned)call->fd - 1);
	close_range_of((unsigned)call->fd + 1, ~0U);
	make_call(call);
	_exit(0);
}

static void *run_thread(void *data)
{
	struct plugd_call *call = data;
	pid_t child = call_in_child(call);

	if (child < 0) {
		make_call(call);
	} else {
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
		}
		if (call->ended_ns == 0)
			call->ended_ns = plugd_monotonic_ns();
	}
	call->done(call, call->owner);
	return NULL;
}

/* The thread starts with all signals blocked, and so does its child. */
int plugd_call_start(struct plugd_call *call)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int error;

	call->result = -EINTR;
	call->started_ns = call->ended_ns = 0;
	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, 128 * 1024);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, &attributes, run_thread, call);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -error;
}
