// fgetxattr(2) for JavaScript.
#include <sys/xattr.h>

#include <cerrno>
#include <string>
#include <vector>

#include "arguments.h"
#include "functions.h"

namespace plugd {

Napi::Value FileAttribute(const Napi::CallbackInfo& info) {
  if (info.Length() != 2 || !info[0].IsNumber() || !info[1].IsString()) return Misuse(info, "fileAttribute(fd, name)");
  const std::string name = info[1].As<Napi::String>().Utf8Value();
  // XATTR_SIZE_MAX: no attribute is longer.
  std::vector<uint8_t> value(65536);
  const ssize_t size = fgetxattr(info[0].As<Napi::Number>().Int32Value(), name.c_str(), value.data(), value.size());
  if (size < 0) return Number(info, -errno);
  return Napi::Buffer<uint8_t>::Copy(info.Env(), value.data(), static_cast<size_t>(size));
}

}  // namespace plugd
