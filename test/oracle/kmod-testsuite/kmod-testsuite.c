/*
 * Stands in for the libraries that kmod's test-suite preloads, under the same variables of the environment:
 *
 *   TESTSUITE_UNAME_R               what uname(2) calls the running kernel
 *   TESTSUITE_INIT_MODULE_RETCODES  set: no module call reaches the kernel; each succeeds and leaves /sys/module/NAME/initstate.
 *                                   finit_module(2) is known only from 3.8 on.
 *
 * Paths need no stand-in: the program under test is in a root of its own.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

int uname(struct utsname *names) {
  int (*real)(struct utsname *) = (int (*)(struct utsname *))dlsym(RTLD_NEXT, "uname");
  int answer = real(names);
  const char *release = getenv("TESTSUITE_UNAME_R");
  if (answer == 0 && release) snprintf(names->release, sizeof names->release, "%s", release);
  return answer;
}

/* struct module begins with its state, a list node of two pointers, and the name: all these modules are of 64 bits. */
#define NAME_OFFSET 24

static const char *module_name(const char *image, unsigned long size) {
  const Elf64_Ehdr *head = (const Elf64_Ehdr *)image;
  if (size < sizeof *head || memcmp(image, ELFMAG, SELFMAG) != 0) return NULL;
  const Elf64_Shdr *sections = (const Elf64_Shdr *)(image + head->e_shoff);
  const char *names = image + sections[head->e_shstrndx].sh_offset;
  for (int i = 0; i < head->e_shnum; i++) {
    if (strcmp(names + sections[i].sh_name, ".gnu.linkonce.this_module") == 0)
      return image + sections[i].sh_offset + NAME_OFFSET;
  }
  return NULL;
}

long init_module(const void *image, unsigned long size, const char *parameters) {
  (void)parameters;
  const char *name = module_name(image, size);
  if (!name) {
    errno = ENOEXEC;
    return -1;
  }
  char path[512];
  mkdir("/sys", 0755);
  mkdir("/sys/module", 0755);
  snprintf(path, sizeof path, "/sys/module/%s", name);
  if (mkdir(path, 0755) < 0) return -1;
  snprintf(path, sizeof path, "/sys/module/%s/initstate", name);
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0 || write(fd, "live\n", 5) != 5) return -1;
  close(fd);
  return 0;
}

static long finit_module(int fd, const char *parameters) {
  int major = 0, minor = 0;
  struct utsname names;
  if (uname(&names) == 0) sscanf(names.release, "%d.%d", &major, &minor);
  if (major < 3 || (major == 3 && minor < 8)) {
    errno = ENOSYS;
    return -1;
  }
  struct stat status;
  if (fstat(fd, &status) < 0) return -1;
  void *image = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (image == MAP_FAILED) return -1;
  long answer = init_module(image, status.st_size, parameters);
  munmap(image, status.st_size);
  return answer;
}

long syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  long a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long);
  long d = va_arg(list, long), e = va_arg(list, long), f = va_arg(list, long);
  va_end(list);
  if (getenv("TESTSUITE_INIT_MODULE_RETCODES")) {
    if (number == SYS_finit_module) return finit_module(a, (const char *)b);
    if (number == SYS_init_module) return init_module((const void *)a, b, (const char *)c);
  }
  static long (*real)(long, ...);
  if (!real) real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  return real(number, a, b, c, d, e, f);
}
