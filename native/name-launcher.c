/*
 * plugd-name: what kmod's names (modprobe, insmod, rmmod, lsmod, modinfo) lead to where the package has plugd-lite. It becomes plugd-lite
 * of its own version, which is beside it, or, where the kernel cannot run that (it is not there, of another machine, no program at all),
 * plugd on Node: both under the name that was called.
 *
 * A program and no script: a shell would read a plugd-lite of another machine as a script, and costs more than all that is done here.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#ifndef PLUGD_VERSION
#define PLUGD_VERSION "unknown"
#endif

int main(int argc, char **argv)
{
	const char *called = (const char *)getauxval(AT_EXECFN), *name, *slash;
	char own[PATH_MAX], program[2 * PATH_MAX];

	if (argc < 1 || !called || !realpath(called, own)) {
		fprintf(stderr, "plugd: %s does not lead to plugd: %s\n", called ? called : "the name", strerror(errno));
		return 71;
	}
	slash = strrchr(argv[0], '/');
	name = slash ? slash + 1 : argv[0];
	*strrchr(own, '/') = '\0';
	snprintf(program, sizeof(program), "%s/plugd-lite-" PLUGD_VERSION, own);
	execv(program, argv);
	snprintf(program, sizeof(program), "%s/../../../names/node/%s", own, name);
	execv(program, argv);
	fprintf(stderr, "plugd: %s: %s\n", program, strerror(errno));
	return 71;
}
