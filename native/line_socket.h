#ifndef PLUGD_LINE_SOCKET_H
#define PLUGD_LINE_SOCKET_H
#include <napi.h>

namespace plugd {

Napi::Value ListenLines(const Napi::CallbackInfo& info);

}  // namespace plugd
#endif
