// openat2(2) with RESOLVE_IN_ROOT for JavaScript (core/open_in_root.c).

#include <string>

#include "arguments.h"
#include "core/core.h"
#include "functions.h"

namespace plugd {

Napi::Value OpenInRoot(const Napi::CallbackInfo& info) {
  if (info.Length() != 3 || !info[0].IsString() || !info[1].IsBuffer() || !info[2].IsNumber()) {
    return Misuse(info, "openInRoot(root, path, flags)");
  }
  const std::string root = info[0].As<Napi::String>().Utf8Value();
  const auto path = info[1].As<Napi::Buffer<char>>();
  const auto flags = static_cast<uint64_t>(info[2].As<Napi::Number>().Int64Value());
  return Number(info, plugd_open_in_root(root.c_str(), path.Data(), path.Length(), flags));
}

}  // namespace plugd
