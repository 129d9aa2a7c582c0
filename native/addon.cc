// The addon's table of functions. Most make one system call; the others decompress, read folders of devices or serve a socket. They
// return 0, a value, or -errno, and contain no policy. agent/base/addon.ts documents each.
#include "functions.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("finitModule", Napi::Function::New<plugd::FinitModule>(env));
  exports.Set("initModule", Napi::Function::New<plugd::InitModule>(env));
  exports.Set("deleteModule", Napi::Function::New<plugd::DeleteModule>(env));
  exports.Set("netlinkDescriptor", Napi::Function::New<plugd::NetlinkDescriptor>(env));
  exports.Set("setReceiveBuffer", Napi::Function::New<plugd::SetReceiveBuffer>(env));
  exports.Set("setNoEnobufs", Napi::Function::New<plugd::SetNoEnobufs>(env));
  exports.Set("decompress", Napi::Function::New<plugd::DecompressWhole>(env));
  exports.Set("decompressFirst", Napi::Function::New<plugd::DecompressFirst>(env));
  exports.Set("decompressInPieces", Napi::Function::New<plugd::DecompressInPieces>(env));
  exports.Set("decompressAsync", Napi::Function::New<plugd::DecompressAsync>(env));
  exports.Set("decompressFirstAsync", Napi::Function::New<plugd::DecompressFirstAsync>(env));
  exports.Set("exitNow", Napi::Function::New<plugd::ExitNow>(env));
  exports.Set("fileAttribute", Napi::Function::New<plugd::FileAttribute>(env));
  exports.Set("notify", Napi::Function::New<plugd::Notify>(env));
  exports.Set("openInRoot", Napi::Function::New<plugd::OpenInRoot>(env));
  exports.Set("readKeyring", Napi::Function::New<plugd::ReadKeyring>(env));
  exports.Set("readModulePartsAsync", Napi::Function::New<plugd::ReadModulePartsAsync>(env));
  exports.Set("readLinkedDevices", Napi::Function::New<plugd::ReadLinkedDevices>(env));
  exports.Set("readLinkedDevicesAsync", Napi::Function::New<plugd::ReadLinkedDevicesAsync>(env));
  exports.Set("listenLines", Napi::Function::New<plugd::ListenLines>(env));
  exports.Set("lockFile", Napi::Function::New<plugd::LockFile>(env));
  exports.Set("sendNow", Napi::Function::New<plugd::SendNow>(env));
  exports.Set("setNonBlocking", Napi::Function::New<plugd::SetNonBlocking>(env));
  exports.Set("setV8Flags", Napi::Function::New<plugd::SetV8Flags>(env));
  return exports;
}

NODE_API_MODULE(plugd, Init)
