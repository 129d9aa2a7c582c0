// v8::V8::SetFlagsFromString, found by name: V8's headers would tie the addon to one version of Node. node:v8 offers it too, but
// loading that loads all of Node's streams: 3 of the 45 ms that Node takes to start, before the first driver.

#include <dlfcn.h>

#include "arguments.h"
#include "functions.h"

namespace plugd {

Napi::Value SetV8Flags(const Napi::CallbackInfo& info) {
  if (info.Length() != 1 || !info[0].IsString()) return Misuse(info, "setV8Flags(flags)");
  // The name as C++ mangles it, the same in every V8 since its beginning.
  const auto set = reinterpret_cast<void (*)(const char*)>(dlsym(RTLD_DEFAULT, "_ZN2v82V818SetFlagsFromStringEPKc"));
  if (set != nullptr) set(Latin1(info[0]).c_str());
  return Napi::Boolean::New(info.Env(), set != nullptr);
}

}  // namespace plugd
