// Sends without ever blocking (-EAGAIN instead): a service manager or a log's reader that does not read must not stop the agent.

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "arguments.h"
#include "functions.h"

namespace plugd {

// Sends one datagram to a unix socket, as sd_notify(3) does.
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

Napi::Value SendNow(const Napi::CallbackInfo& info) {
  if (info.Length() != 2 || !info[0].IsNumber() || !info[1].IsTypedArray()) return Misuse(info, "sendNow(fd, bytes)");
  const auto array = info[1].As<Napi::TypedArray>();
  const auto* bytes = static_cast<const char*>(array.ArrayBuffer().Data()) + array.ByteOffset();
  const int fd = info[0].As<Napi::Number>().Int32Value();
  // The flags are of this one call: others who have the socket wait as before.
  const ssize_t sent = send(fd, bytes, array.ByteLength(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return Number(info, sent < 0 ? -errno : sent);
}

Napi::Value SetNonBlocking(const Napi::CallbackInfo& info) {
  if (info.Length() != 1 || !info[0].IsNumber()) return Misuse(info, "setNonBlocking(fd)");
  const int fd = info[0].As<Napi::Number>().Int32Value();
  const int flags = fcntl(fd, F_GETFL);
  return Number(info, flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ? -errno : 0);
}

}  // namespace plugd
