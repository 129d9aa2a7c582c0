// Sending without waiting, for JavaScript (core/notify.c).

#include <string>

#include "arguments.h"
#include "core/core.h"
#include "functions.h"

namespace plugd {

Napi::Value Notify(const Napi::CallbackInfo& info) {
  if (info.Length() != 2 || !info[0].IsString() || !info[1].IsString()) return Misuse(info, "notify(socket, message)");
  const std::string path = info[0].As<Napi::String>().Utf8Value();
  const std::string message = info[1].As<Napi::String>().Utf8Value();
  return Number(info, plugd_notify(path.data(), path.size(), message.data(), message.size()));
}

Napi::Value SendNow(const Napi::CallbackInfo& info) {
  if (info.Length() != 2 || !info[0].IsNumber() || !info[1].IsTypedArray()) return Misuse(info, "sendNow(fd, bytes)");
  const auto array = info[1].As<Napi::TypedArray>();
  const auto* bytes = static_cast<const char*>(array.ArrayBuffer().Data()) + array.ByteOffset();
  return Number(info, plugd_send_now(info[0].As<Napi::Number>().Int32Value(), bytes, array.ByteLength()));
}

Napi::Value SetNonBlocking(const Napi::CallbackInfo& info) {
  if (info.Length() != 1 || !info[0].IsNumber()) return Misuse(info, "setNonBlocking(fd)");
  return Number(info, plugd_set_non_blocking(info[0].As<Napi::Number>().Int32Value()));
}

}  // namespace plugd
