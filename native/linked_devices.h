#ifndef PLUGD_LINKED_DEVICES_H
#define PLUGD_LINKED_DEVICES_H
#include <napi.h>

namespace plugd {
Napi::Value ReadLinkedDevices(const Napi::CallbackInfo& info);
Napi::Value ReadLinkedDevicesLater(const Napi::CallbackInfo& info);
}  // namespace plugd
#endif
