// Sets options of a netlink socket that the netlink package makes and hides; finds its descriptor by its port id.

#include <algorithm>
#include <cerrno>
#include <linux/netlink.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "arguments.h"
#include "functions.h"

namespace plugd {
namespace {

// A port id is unique within one protocol only: a NETLINK_ROUTE socket of the C library can have the same one.
bool IsUeventSocket(int fd, uint32_t port_id) {
  sockaddr_nl address{};
  socklen_t length = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return false;
  if (address.nl_family != AF_NETLINK || address.nl_pid != port_id) return false;
  int protocol = -1;
  length = sizeof protocol;
  return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) == 0 && protocol == NETLINK_KOBJECT_UEVENT;
}

}  // namespace

Napi::Value NetlinkDescriptor(const Napi::CallbackInfo& info) {
  if (info.Length() != 1 || !info[0].IsNumber()) return Misuse(info, "netlinkDescriptor(portId)");
  const uint32_t port_id = info[0].As<Napi::Number>().Uint32Value();
  // Trying each number needs no /proc, which an initramfs may not have mounted yet. Low numbers are used first.
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const int end = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, 65536));
  for (int fd = 0; fd < end; fd++) {
    if (IsUeventSocket(fd, port_id)) return Number(info, fd);
  }
  return Number(info, -ENOENT);
}

Napi::Value SetReceiveBuffer(const Napi::CallbackInfo& info) {
  if (info.Length() != 2 || !info[0].IsNumber() || !info[1].IsNumber()) {
    return Misuse(info, "setReceiveBuffer(fd, bytes)");
  }
  const int fd = info[0].As<Napi::Number>().Int32Value();
  int bytes = info[1].As<Napi::Number>().Int32Value();
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0 &&
      setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) != 0) {
    return Number(info, -errno);
  }
  socklen_t length = sizeof bytes;
  if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &length) != 0) return Number(info, -errno);
  return Number(info, bytes);
}

Napi::Value SetNoEnobufs(const Napi::CallbackInfo& info) {
  if (info.Length() != 1 || !info[0].IsNumber()) return Misuse(info, "setNoEnobufs(fd)");
  const int on = 1;
  const int fd = info[0].As<Napi::Number>().Int32Value();
  return Number(info, setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof on) == 0 ? 0 : -errno);
}

}  // namespace plugd
