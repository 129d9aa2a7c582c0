#ifndef PLUGD_MODULE_CALLS_H
#define PLUGD_MODULE_CALLS_H
#include <napi.h>

namespace plugd {
Napi::Value FinitModule(const Napi::CallbackInfo& info);
Napi::Value InitModule(const Napi::CallbackInfo& info);
Napi::Value DeleteModule(const Napi::CallbackInfo& info);
}  // namespace plugd
#endif
