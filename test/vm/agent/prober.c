/*
 * Makes the kernel of the test machine ask for modules, and floods it with uevents; prints nanoseconds.
 *
 *     prober fs TYPE COUNT      mount(2) of a file system type, COUNT times; its module is removed after each
 *     prober socket FAMILY      socket(2)
 *     prober open PATH          open(2)
 *     prober storm COUNT FILE…  writes "add" into the files in turn, COUNT times in all
 *     prober spoof COUNT [UID]  sends COUNT messages that look like uevents to the group, as UID or as the user who runs it
 *     prober kill COUNT MICROSECONDS PROGRAM…   starts PROGRAM, and kills it when COUNT modules and so much time have passed
 *
 * A line each: nanoseconds and errno (0 for success), for storm and spoof of the whole; for kill nanoseconds and the number
 * of modules that were loaded when the program was killed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void told(long long began, long result)
{
	int error = result < 0 ? errno : 0;
	printf("%lld %d\n", now() - began, error);
}

/* Modules whose init has succeeded; one that is still running may fail and be tried again. */
static int loaded(void)
{
	static char text[1 << 16];
	int fd = open("/proc/modules", O_RDONLY), count = 0;
	size_t length = 0;
	ssize_t n;
	while (length < sizeof text - 1 && (n = read(fd, text + length, sizeof text - 1 - length)) > 0)
		length += n;
	close(fd);
	text[length] = 0;
	for (char *at = text; (at = strstr(at, " Live ")); at++)
		count++;
	return count;
}

static int kill_after(int count, int microseconds, char **program)
{
	long long began = now();
	pid_t pid = fork();
	if (pid == 0) {
		int nowhere = open("/dev/null", O_RDWR);
		dup2(nowhere, 1);
		dup2(nowhere, 2);
		execvp(program[0], program);
		_exit(127);
	}
	/* A machine in which nothing is left to load never gets there. */
	while (loaded() < count && now() - began < 60000000000LL)
		usleep(500);
	usleep(microseconds);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	printf("%lld %d\n", now() - began, loaded());
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 3 && !strcmp(argv[1], "fs")) {
		mkdir("/mnt", 0755);
		for (int i = atoi(argv[3]); i > 0; i--) {
			long long began = now();
			told(began, mount("none", "/mnt", argv[2], 0, ""));
			umount("/mnt");
			syscall(SYS_delete_module, argv[2], O_NONBLOCK);
			/* The uevent of its removal is heard in the meantime, as on a machine where people do this. */
			usleep(50000);
		}
	} else if (argc > 2 && !strcmp(argv[1], "socket")) {
		long long began = now();
		told(began, socket(atoi(argv[2]), SOCK_RAW, 1) < 0 && errno != EPROTONOSUPPORT ? -1 : 0);
	} else if (argc > 2 && !strcmp(argv[1], "open")) {
		long long began = now();
		told(began, open(argv[2], O_RDONLY | O_NONBLOCK));
	} else if (argc > 3 && !strcmp(argv[1], "storm")) {
		long count = atol(argv[2]);
		int files = argc - 3, *fds = calloc(files, sizeof *fds);
		for (int i = 0; i < files; i++)
			if ((fds[i] = open(argv[3 + i], O_WRONLY)) < 0)
				return perror(argv[3 + i]), 1;
		long long began = now();
		for (long i = 0; i < count; i++)
			if (write(fds[i % files], "add", 3) != 3)
				return perror(argv[3 + i % files]), 1;
		told(began, 0);
	} else if (argc > 2 && !strcmp(argv[1], "spoof")) {
		static const char text[] = "add@/devices/x\0ACTION=add\0DEVPATH=/devices/x\0SUBSYSTEM=pci\0MODALIAS=pci:x\0SEQNUM=1";
		struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_groups = 1};
		if (argc > 3 && setresuid(atoi(argv[3]), atoi(argv[3]), atoi(argv[3])))
			return perror("setresuid"), 1;
		int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT);
		long long began = now();
		long result = 0;
		for (long i = atol(argv[2]); i > 0 && result >= 0; i--)
			result = sendto(fd, text, sizeof text, 0, (struct sockaddr *)&to, sizeof to);
		told(began, result);
	} else if (argc > 4 && !strcmp(argv[1], "kill")) {
		return kill_after(atoi(argv[2]), atoi(argv[3]), argv + 4);
	} else {
		return 64;
	}
	return 0;
}
