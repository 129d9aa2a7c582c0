// openat2(2) with RESOLVE_IN_ROOT resolves a path as if `root` were the root directory. Neither an absolute link, nor `..`, nor a link
// that someone changes in the meantime leads out of it. Linux 5.6 has it; glibc has no wrapper, and older kernel headers lack the
// struct, so it is defined here. Source: openat2(2), include/uapi/linux/openat2.h.

#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arguments.h"
#include "functions.h"

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

namespace plugd {

namespace {
struct OpenHow {
  uint64_t flags;
  uint64_t mode;
  uint64_t resolve;
};
constexpr uint64_t kResolveNoMagicLinks = 0x02;
constexpr uint64_t kResolveInRoot = 0x10;
// A `..` that races with a rename gives EAGAIN; the kernel asks its callers to try again.
constexpr int kTries = 64;
}  // namespace

Napi::Value OpenInRoot(const Napi::CallbackInfo& info) {
  if (info.Length() != 3 || !info[0].IsString() || !info[1].IsBuffer() || !info[2].IsNumber()) {
    return Misuse(info, "openInRoot(root, path, flags)");
  }
  const std::string root = info[0].As<Napi::String>().Utf8Value();
  const auto bytes = info[1].As<Napi::Buffer<char>>();
  const std::string path(bytes.Data(), bytes.Length());
  // An embedded NUL would cut the path short.
  if (path.find('\0') != std::string::npos) return Number(info, -EINVAL);
  const int top = open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (top < 0) return Number(info, -errno);
  const auto flags = static_cast<uint64_t>(info[2].As<Napi::Number>().Int64Value()) | O_CLOEXEC;
  const OpenHow how = {flags, 0, kResolveInRoot | kResolveNoMagicLinks};
  int64_t answer = -EAGAIN;
  for (int i = 0; i < kTries && answer == -EAGAIN; i++) {
    const long fd = syscall(SYS_openat2, top, path.empty() ? "/" : path.c_str(), &how, sizeof how);
    answer = fd < 0 ? -errno : fd;
  }
  close(top);
  return Number(info, answer);
}

}  // namespace plugd
