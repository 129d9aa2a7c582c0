#ifndef PLUGD_KEYRING_H
#define PLUGD_KEYRING_H
#include <napi.h>

namespace plugd {
Napi::Value ReadKeyring(const Napi::CallbackInfo& info);
}  // namespace plugd
#endif
