// The ids of the keys in a keyring: keyctl(KEYCTL_READ), which glibc does not wrap. /proc/keys lists keys without naming their
// keyrings. Reads only.

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

#include "arguments.h"
#include "functions.h"

namespace plugd {

Napi::Value ReadKeyring(const Napi::CallbackInfo& info) {
  if (info.Length() != 1 || !info[0].IsNumber()) return Misuse(info, "readKeyring(id)");
  constexpr long kRead = 11;        // KEYCTL_READ, linux/keyctl.h
  std::vector<int32_t> keys(4096);  // the kernel's keyrings hold some dozens
  const long id = info[0].As<Napi::Number>().Int32Value();
  const long bytes = syscall(SYS_keyctl, kRead, id, keys.data(), keys.size() * sizeof keys[0], 0L);
  if (bytes < 0) return Number(info, -errno);
  // The result is the whole size, even if not all of it fitted.
  const size_t count = std::min(keys.size(), static_cast<size_t>(bytes) / sizeof keys[0]);
  const auto list = Napi::Array::New(info.Env(), count);
  for (size_t i = 0; i < count; i++) list.Set(static_cast<uint32_t>(i), Number(info, static_cast<uint32_t>(keys[i])));
  return list;
}

}  // namespace plugd
