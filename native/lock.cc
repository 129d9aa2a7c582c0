// flock(2): the kernel's one lock that vanishes with its holder, however the holder ends, and that checks and takes in one step. Node
// has no call for it.

#include <cerrno>
#include <sys/file.h>

#include "arguments.h"
#include "functions.h"

namespace plugd {

Napi::Value LockFile(const Napi::CallbackInfo& info) {
  if (info.Length() != 1 || !info[0].IsNumber()) return Misuse(info, "lockFile(fd)");
  const int fd = info[0].As<Napi::Number>().Int32Value();
  return Number(info, flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno);
}

}  // namespace plugd
