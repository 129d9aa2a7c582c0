// Options of the uevent socket for JavaScript (core/netlink_socket.c).

#include "arguments.h"
#include "core/core.h"
#include "functions.h"

namespace plugd {

Napi::Value NetlinkDescriptor(const Napi::CallbackInfo& info) {
  if (info.Length() != 1 || !info[0].IsNumber()) return Misuse(info, "netlinkDescriptor(portId)");
  return Number(info, plugd_netlink_descriptor(info[0].As<Napi::Number>().Uint32Value()));
}

Napi::Value SetReceiveBuffer(const Napi::CallbackInfo& info) {
  if (info.Length() != 2 || !info[0].IsNumber() || !info[1].IsNumber()) {
    return Misuse(info, "setReceiveBuffer(fd, bytes)");
  }
  const int fd = info[0].As<Napi::Number>().Int32Value();
  return Number(info, plugd_set_receive_buffer(fd, info[1].As<Napi::Number>().Int32Value()));
}

Napi::Value SetNoEnobufs(const Napi::CallbackInfo& info) {
  if (info.Length() != 1 || !info[0].IsNumber()) return Misuse(info, "setNoEnobufs(fd)");
  return Number(info, plugd_set_no_enobufs(info[0].As<Napi::Number>().Int32Value()));
}

}  // namespace plugd
