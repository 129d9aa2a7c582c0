// Sends one datagram to a unix socket, as sd_notify(3) does. It never blocks: a service manager that does not read its socket must
// not stop the agent (-EAGAIN then).

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "arguments.h"
#include "functions.h"

namespace plugd {

Napi::Value Notify(const Napi::CallbackInfo& info) {
  if (info.Length() != 2 || !info[0].IsString() || !info[1].IsString()) return Misuse(info, "notify(socket, message)");
  const std::string path = info[0].As<Napi::String>().Utf8Value();
  const std::string message = info[1].As<Napi::String>().Utf8Value();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || (path[0] != '/' && path[0] != '@')) return Number(info, -EAFNOSUPPORT);
  if (path.size() >= sizeof address.sun_path) return Number(info, -ENAMETOOLONG);
  memcpy(address.sun_path, path.data(), path.size());
  auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  if (path[0] == '@') {
    address.sun_path[0] = '\0';
  } else {
    length++;  // its NUL
  }
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Number(info, -errno);
  const ssize_t sent = sendto(fd, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                              reinterpret_cast<const sockaddr*>(&address), length);
  const int result = sent < 0 ? -errno : 0;
  close(fd);
  return Number(info, result);
}

}  // namespace plugd
