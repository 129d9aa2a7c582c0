#ifndef PLUGD_DECOMPRESS_H
#define PLUGD_DECOMPRESS_H
#include <napi.h>

namespace plugd {
Napi::Value DecompressXz(const Napi::CallbackInfo& info);
Napi::Value DecompressZstd(const Napi::CallbackInfo& info);
Napi::Value DecompressFirst(const Napi::CallbackInfo& info);
Napi::Value DecompressLater(const Napi::CallbackInfo& info);
}  // namespace plugd
#endif
