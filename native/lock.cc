// flock(2): the one lock of the kernel's that its holder cannot leave behind, however it ends, and that no second process can
// get between a look and a take. Node has no call for it.

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
