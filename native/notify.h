#ifndef PLUGD_NOTIFY_H
#define PLUGD_NOTIFY_H
#include <napi.h>

namespace plugd {
Napi::Value Notify(const Napi::CallbackInfo& info);
}  // namespace plugd
#endif
