// keyctl(KEYCTL_READ) for JavaScript (core/keyring.c).

#include <algorithm>
#include <vector>

#include "arguments.h"
#include "core/core.h"
#include "functions.h"

namespace plugd {

Napi::Value ReadKeyring(const Napi::CallbackInfo& info) {
  if (info.Length() != 1 || !info[0].IsNumber()) return Misuse(info, "readKeyring(id)");
  std::vector<int32_t> keys(4096);  // the kernel's keyrings hold some dozens
  const long held = plugd_read_keyring(info[0].As<Napi::Number>().Int32Value(), keys.data(), keys.size());
  if (held < 0) return Number(info, held);
  const size_t count = std::min(keys.size(), static_cast<size_t>(held));
  const auto list = Napi::Array::New(info.Env(), count);
  for (size_t i = 0; i < count; i++) list.Set(static_cast<uint32_t>(i), Number(info, static_cast<uint32_t>(keys[i])));
  return list;
}

}  // namespace plugd
