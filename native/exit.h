#ifndef PLUGD_EXIT_H
#define PLUGD_EXIT_H
#include <napi.h>

namespace plugd {
Napi::Value ExitNow(const Napi::CallbackInfo& info);
}  // namespace plugd
#endif
