#ifndef PLUGD_FUNCTIONS_H
#define PLUGD_FUNCTIONS_H
#include <napi.h>

// The addon's functions, grouped by the file that defines them. agent/base/addon.ts documents each.
namespace plugd {

// compression/decompress.cc
Napi::Value DecompressWhole(const Napi::CallbackInfo& info);
Napi::Value DecompressFirst(const Napi::CallbackInfo& info);
Napi::Value DecompressInPieces(const Napi::CallbackInfo& info);
Napi::Value DecompressAsync(const Napi::CallbackInfo& info);
Napi::Value DecompressFirstAsync(const Napi::CallbackInfo& info);

// exit.cc
Napi::Value ExitNow(const Napi::CallbackInfo& info);

// keyring.cc
Napi::Value ReadKeyring(const Napi::CallbackInfo& info);

// line_socket.cc
Napi::Value ListenLines(const Napi::CallbackInfo& info);

// linked_devices.cc
Napi::Value ReadLinkedDevices(const Napi::CallbackInfo& info);
Napi::Value ReadLinkedDevicesAsync(const Napi::CallbackInfo& info);

// lock.cc
Napi::Value LockFile(const Napi::CallbackInfo& info);

// module_calls.cc
Napi::Value FinitModule(const Napi::CallbackInfo& info);
Napi::Value InitModule(const Napi::CallbackInfo& info);
Napi::Value DeleteModule(const Napi::CallbackInfo& info);

// compression/module_parts.cc
Napi::Value ReadModulePartsAsync(const Napi::CallbackInfo& info);

// netlink_socket.cc
Napi::Value NetlinkDescriptor(const Napi::CallbackInfo& info);
Napi::Value SetReceiveBuffer(const Napi::CallbackInfo& info);
Napi::Value SetNoEnobufs(const Napi::CallbackInfo& info);

// notify.cc
Napi::Value Notify(const Napi::CallbackInfo& info);
Napi::Value SendNow(const Napi::CallbackInfo& info);
Napi::Value SetNonBlocking(const Napi::CallbackInfo& info);

// file_attribute.cc
Napi::Value FileAttribute(const Napi::CallbackInfo& info);

// open_in_root.cc
Napi::Value OpenInRoot(const Napi::CallbackInfo& info);

// v8_flags.cc
Napi::Value SetV8Flags(const Napi::CallbackInfo& info);

}  // namespace plugd
#endif
