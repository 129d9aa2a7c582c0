#ifndef PLUGD_LOCK_H
#define PLUGD_LOCK_H
#include <napi.h>

namespace plugd {
Napi::Value LockFile(const Napi::CallbackInfo& info);
}  // namespace plugd
#endif
