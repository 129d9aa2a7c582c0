#ifndef PLUGD_V8_FLAGS_H
#define PLUGD_V8_FLAGS_H
#include <napi.h>

namespace plugd {
Napi::Value SetV8Flags(const Napi::CallbackInfo& info);
}  // namespace plugd
#endif
