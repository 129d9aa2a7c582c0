#ifndef PLUGD_NETLINK_SOCKET_H
#define PLUGD_NETLINK_SOCKET_H
#include <napi.h>

namespace plugd {
Napi::Value NetlinkDescriptor(const Napi::CallbackInfo& info);
Napi::Value SetReceiveBuffer(const Napi::CallbackInfo& info);
Napi::Value SetNoEnobufs(const Napi::CallbackInfo& info);
}  // namespace plugd
#endif
