#ifndef PLUGD_OPEN_IN_ROOT_H
#define PLUGD_OPEN_IN_ROOT_H
#include <napi.h>

namespace plugd {
Napi::Value OpenInRoot(const Napi::CallbackInfo& info);
}  // namespace plugd
#endif
