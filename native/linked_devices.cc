// Reads the devices that folders of sysfs link to, with their uevent and modalias files: some five system calls for each of a machine's
// thousand devices. Through Node's fs each costs ten times the call itself, all on the main thread, while the first driver waits.

#include <algorithm>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string>
#include <unistd.h>
#include <vector>

#include "arguments.h"
#include "functions.h"

namespace plugd {
namespace {

// Appends the file's text up to a NUL, because a NUL ends each field of the result. False when it cannot be read.
bool AppendText(int folder, const std::string& path, std::string* out) {
  const int fd = openat(folder, path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return false;
  char buffer[8192];  // a sysfs attribute has at most one page and comes in one read
  ssize_t count;
  do {
    count = read(fd, buffer, sizeof buffer);
    if (count > 0) out->append(buffer, strnlen(buffer, static_cast<size_t>(count)));
  } while (count == static_cast<ssize_t>(sizeof buffer));
  close(fd);
  return count >= 0;
}

bool HasModalias(const std::string& text, size_t begin) {
  for (size_t at = text.find("MODALIAS=", begin); at != std::string::npos; at = text.find("MODALIAS=", at + 1)) {
    if (at == begin || text[at - 1] == '\n') return true;
  }
  return false;
}

void AppendFolder(const std::string& path, bool modalias, std::string* out) {
  DIR* folder = opendir(path.c_str());
  if (folder == nullptr) return;
  std::vector<std::string> names;
  while (const dirent* entry = readdir(folder)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  std::sort(names.begin(), names.end());
  const int fd = dirfd(folder);
  char target[PATH_MAX];
  for (const std::string& name : names) {
    const ssize_t length = readlinkat(fd, name.c_str(), target, sizeof target);
    if (length <= 0) continue;  // an attribute of the class, or a device that is already gone
    const size_t begin = out->size();
    out->append(target, static_cast<size_t>(length)).push_back('\0');
    const size_t text = out->size();
    if (!AppendText(fd, name + "/uevent", out)) {
      out->resize(begin);
      continue;
    }
    const bool wanted = modalias && !HasModalias(*out, text);
    out->push_back('\0');
    const size_t attribute = out->size();
    if (wanted && !AppendText(fd, name + "/modalias", out)) out->resize(attribute);
    out->push_back('\0');
  }
  closedir(folder);
}

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

std::string Read(const Request& request) {
  std::string out;
  for (const std::string& folder : request.folders) {
    AppendFolder(folder, request.modalias, &out);
    out.push_back('\0');  // no target: the folder's end
  }
  return out;
}

Napi::Value Text(Napi::Env env, const std::string& text) {
  napi_value value = nullptr;
  napi_create_string_latin1(env, text.data(), text.size(), &value);
  return Napi::Value(env, value);
}

class LaterWork : public Napi::AsyncWorker {
 public:
  LaterWork(const Napi::Function& done, Request request)
      : AsyncWorker(done, "plugd devices"), request_(std::move(request)) {}

  void Execute() override { text_ = Read(request_); }

  void OnOK() override {
    const Napi::HandleScope scope(Env());
    Callback().Call({Text(Env(), text_)});
  }

 private:
  Request request_;
  std::string text_;
};

}  // namespace

Napi::Value ReadLinkedDevices(const Napi::CallbackInfo& info) {
  Request request;
  if (info.Length() != 2 || !ReadArguments(info, &request)) return Misuse(info, "readLinkedDevices(folders, modalias)");
  return Text(info.Env(), Read(request));
}

Napi::Value ReadLinkedDevicesLater(const Napi::CallbackInfo& info) {
  Request request;
  if (info.Length() != 3 || !ReadArguments(info, &request) || !info[2].IsFunction()) {
    return Misuse(info, "readLinkedDevicesLater(folders, modalias, done)");
  }
  // It deletes itself when it is done.
  (new LaterWork(info[2].As<Napi::Function>(), std::move(request)))->Queue();
  return info.Env().Undefined();
}

}  // namespace plugd
