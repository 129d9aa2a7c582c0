// _exit(2). process.exit() first tears down what the kernel frees in a moment: V8's heap, its threads, OpenSSL's tables. That takes
// 0.1 s on the emulated machine, and the boot waits for it.

#include <unistd.h>

#include "arguments.h"
#include "functions.h"

namespace plugd {

Napi::Value ExitNow(const Napi::CallbackInfo& info) {
  if (info.Length() != 1 || !info[0].IsNumber()) return Misuse(info, "exitNow(status)");
  _exit(info[0].As<Napi::Number>().Int32Value());
}

}  // namespace plugd
