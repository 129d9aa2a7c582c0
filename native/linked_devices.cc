// Devices that folders of sysfs link to, for JavaScript (core/linked_devices.c).

#include <string>
#include <vector>

#include "arguments.h"
#include "core/core.h"
#include "functions.h"

namespace plugd {
namespace {

struct Request {
  std::vector<std::string> folders;
  bool modalias = false;
};

bool ReadArguments(const Napi::CallbackInfo& info, Request* request) {
  if (!info[0].IsArray() || !info[1].IsBoolean()) return false;
  const auto folders = info[0].As<Napi::Array>();
  for (uint32_t i = 0; i < folders.Length(); i++) {
    const Napi::Value folder = folders[i];
    if (!folder.IsString()) return false;
    request->folders.push_back(folder.As<Napi::String>().Utf8Value());
  }
  request->modalias = info[1].As<Napi::Boolean>().Value();
  return true;
}

// Owns the text that the core makes.
class Text {
 public:
  Text() = default;
  ~Text() { plugd_text_free(&text_); }
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;

  // Devices beyond the memory there is are left out, as those that cannot be read are.
  void Read(const Request& request) {
    for (const std::string& folder : request.folders) {
      if (plugd_linked_devices(folder.c_str(), request.modalias ? 1 : 0, &text_) != 0) return;
    }
  }

  Napi::Value Value(Napi::Env env) const {
    napi_value value = nullptr;
    napi_create_string_latin1(env, text_.size == 0 ? "" : text_.data, text_.size, &value);
    return Napi::Value(env, value);
  }

 private:
  plugd_text text_{};
};

class LaterWork : public Napi::AsyncWorker {
 public:
  LaterWork(const Napi::Function& done, Request request)
      : AsyncWorker(done, "plugd devices"), request_(std::move(request)) {}

  void Execute() override { text_.Read(request_); }

  void OnOK() override {
    const Napi::HandleScope scope(Env());
    Callback().Call({text_.Value(Env())});
  }

 private:
  Request request_;
  Text text_;
};

}  // namespace

Napi::Value ReadLinkedDevices(const Napi::CallbackInfo& info) {
  Request request;
  if (info.Length() != 2 || !ReadArguments(info, &request)) return Misuse(info, "readLinkedDevices(folders, modalias)");
  Text text;
  text.Read(request);
  return text.Value(info.Env());
}

Napi::Value ReadLinkedDevicesAsync(const Napi::CallbackInfo& info) {
  Request request;
  if (info.Length() != 3 || !ReadArguments(info, &request) || !info[2].IsFunction()) {
    return Misuse(info, "readLinkedDevicesAsync(folders, modalias, done)");
  }
  // It deletes itself when it is done.
  (new LaterWork(info[2].As<Napi::Function>(), std::move(request)))->Queue();
  return info.Env().Undefined();
}

}  // namespace plugd
