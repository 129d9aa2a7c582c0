// flock(2) for JavaScript (core/lock.c).

#include "arguments.h"
#include "core/core.h"
#include "functions.h"

namespace plugd {

Napi::Value LockFile(const Napi::CallbackInfo& info) {
  if (info.Length() != 1 || !info[0].IsNumber()) return Misuse(info, "lockFile(fd)");
  return Number(info, plugd_lock_file(info[0].As<Napi::Number>().Int32Value()));
}

}  // namespace plugd
