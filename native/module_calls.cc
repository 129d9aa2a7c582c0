// The module calls for JavaScript: each runs in a task of its own (core/module_calls.c), and its end is told on the main thread.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "arguments.h"
#include "core/core.h"
#include "functions.h"

namespace plugd {
namespace {

// The way back to JavaScript. Threads outlive the environment (process.exit while an init hangs), and Node then frees the
// threadsafe function: `open` says, under the mutex, whether it may still be called.
struct Channel {
  std::mutex mutex;
  bool open = true;
  napi_threadsafe_function function = nullptr;
};

struct Completion {
  uint64_t id;
  int64_t result;
  int64_t started_ns;
  int64_t ended_ns;
};

void Report(const std::shared_ptr<Channel>& channel, const Completion& made) {
  auto* completion = new Completion(made);
  const std::lock_guard<std::mutex> lock(channel->mutex);
  if (!channel->open ||
      napi_call_threadsafe_function(channel->function, completion, napi_tsfn_nonblocking) != napi_ok) {
    delete completion;
  }
}

// On the call's thread.
void Done(plugd_call* call, void* owner) {
  const std::unique_ptr<std::shared_ptr<Channel>> channel(static_cast<std::shared_ptr<Channel>*>(owner));
  Report(*channel, {call->id, call->result, call->started_ns, call->ended_ns});
  plugd_call_free(call);
}

// One per environment: which JavaScript function waits for which call.
class ModuleCalls {
 public:
  explicit ModuleCalls(Napi::Env env) : env_(env), channel_(std::make_shared<Channel>()) {
    napi_value name = Napi::String::New(env, "plugd module call");
    napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, Deliver,
                                    &channel_->function);
    napi_unref_threadsafe_function(env, channel_->function);
    // Cleanup hooks run last in, first out, so this one runs before the threadsafe function's own.
    napi_add_env_cleanup_hook(env, CloseChannel, new std::shared_ptr<Channel>(channel_));
  }

  void Start(plugd_call* call, const Napi::Function& done) {
    const auto owner = new std::shared_ptr<Channel>(channel_);
    call->id = ++last_id_;
    call->done = Done;
    call->owner = owner;
    if (waiting_.empty()) napi_ref_threadsafe_function(env_, channel_->function);
    waiting_.emplace(last_id_, Napi::Persistent(done));
    const int error = plugd_call_start(call);
    if (error == 0) return;  // the thread owns it now
    plugd_call_free(call);
    delete owner;
    const int64_t now = plugd_monotonic_ns();
    Report(channel_, {last_id_, error, now, now});
  }

 private:
  static void CloseChannel(void* data) {
    const std::unique_ptr<std::shared_ptr<Channel>> channel(static_cast<std::shared_ptr<Channel>*>(data));
    const std::lock_guard<std::mutex> lock((*channel)->mutex);
    (*channel)->open = false;
  }

  // Runs on the main thread; without an environment while it is being torn down.
  static void Deliver(napi_env raw, napi_value, void* context, void* data) {
    const std::unique_ptr<Completion> completion(static_cast<Completion*>(data));
    if (raw == nullptr) return;
    Napi::Env env(raw);
    const Napi::HandleScope scope(env);
    auto* self = static_cast<ModuleCalls*>(context);
    const auto found = self->waiting_.find(completion->id);
    if (found == self->waiting_.end()) return;
    const Napi::FunctionReference done = std::move(found->second);
    self->waiting_.erase(found);
    if (self->waiting_.empty()) napi_unref_threadsafe_function(env, self->channel_->function);
    done.Call({Napi::Number::New(env, static_cast<double>(completion->result)),
               Napi::BigInt::New(env, completion->started_ns), Napi::BigInt::New(env, completion->ended_ns)});
  }

  Napi::Env env_;
  std::shared_ptr<Channel> channel_;
  uint64_t last_id_ = 0;
  std::unordered_map<uint64_t, Napi::FunctionReference> waiting_;
};

// Made at the first call, so that a command that inserts nothing pays nothing.
ModuleCalls* Calls(Napi::Env env) {
  auto* calls = env.GetInstanceData<ModuleCalls>();
  if (calls == nullptr) {
    calls = new ModuleCalls(env);
    env.SetInstanceData(calls);
  }
  return calls;
}

plugd_call* NewCall(plugd_call_kind kind, const std::string& text) {
  auto* call = static_cast<plugd_call*>(calloc(1, sizeof(plugd_call)));
  call->kind = kind;
  call->fd = -1;
  call->text = strdup(text.c_str());
  return call;
}

}  // namespace

Napi::Value FinitModule(const Napi::CallbackInfo& info) {
  if (info.Length() != 4 || !info[0].IsNumber() || !info[1].IsString() || !info[2].IsNumber() ||
      !info[3].IsFunction()) {
    return Misuse(info, "finitModule(fd, params, flags, done)");
  }
  plugd_call* call = NewCall(PLUGD_FINIT, Latin1(info[1]));
  call->fd = info[0].As<Napi::Number>().Int32Value();
  call->flags = info[2].As<Napi::Number>().Uint32Value();
  Calls(info.Env())->Start(call, info[3].As<Napi::Function>());
  return info.Env().Undefined();
}

Napi::Value InitModule(const Napi::CallbackInfo& info) {
  if (info.Length() != 3 || !info[0].IsTypedArray() || !info[1].IsString() || !info[2].IsFunction()) {
    return Misuse(info, "initModule(image, params, done)");
  }
  const auto array = info[0].As<Napi::TypedArray>();
  const auto* bytes = static_cast<const uint8_t*>(array.ArrayBuffer().Data()) + array.ByteOffset();
  plugd_call* call = NewCall(PLUGD_INIT, Latin1(info[1]));
  call->image_size = array.ByteLength();
  call->image = static_cast<uint8_t*>(malloc(call->image_size + 1));
  if (call->image == nullptr) {
    plugd_call_free(call);
    Napi::Error::New(info.Env(), "no memory for the module's image").ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  memcpy(call->image, bytes, call->image_size);
  Calls(info.Env())->Start(call, info[2].As<Napi::Function>());
  return info.Env().Undefined();
}

Napi::Value DeleteModule(const Napi::CallbackInfo& info) {
  if (info.Length() != 3 || !info[0].IsString() || !info[1].IsNumber() || !info[2].IsFunction()) {
    return Misuse(info, "deleteModule(name, flags, done)");
  }
  plugd_call* call = NewCall(PLUGD_DELETE, Latin1(info[0]));
  call->flags = info[1].As<Napi::Number>().Uint32Value();
  Calls(info.Env())->Start(call, info[2].As<Napi::Function>());
  return info.Env().Undefined();
}

}  // namespace plugd
