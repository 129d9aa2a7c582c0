// finit_module(2), init_module(2), delete_module(2): each call in a task of its own.
//
// A module's init runs inside the system call and may sleep for minutes, or forever, where no signal reaches it. Three things must
// hold meanwhile. Nothing else in plugd waits, so calls do not run on libuv's pool: each has its own thread. Nothing disturbs the
// init: a signal, or the end of plugd, would make an interruptible sleep inside a driver fail. And plugd can end.
//
// A thread alone does not give the last two: a process is gone for its parent only when its last thread is, so one thread stuck in
// the kernel would keep `plugd coldplug` from ending, and ending it would kill the thread. So the thread makes a child with
// vfork(2), which shares the memory but is a process of its own. The thread sleeps, killably, until the child has made the call and
// left its result here. If plugd ends first, the child continues undisturbed, and the kernel keeps the shared memory until it is
// done. Each call costs some 50 us. Without a child (vfork refused) the thread makes the call.
// The child blocks all signals (Ctrl-C goes to the whole process group) and closes every descriptor but the module's: it must not
// hold the agent's lock, sockets or standard output open after the agent is gone.

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <memory>
#include <mutex>
#include <pthread.h>
#include <string>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

#include "arguments.h"
#include "functions.h"

namespace plugd {
namespace {

#ifndef SYS_close_range
#define SYS_close_range 436  // the same on every architecture
#endif

int64_t MonotonicNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000000000 + now.tv_nsec;
}

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

enum class CallKind { kFinit, kInit, kDelete };

// Everything a call needs, owned by its thread. The image is a copy: JavaScript's memory is gone when plugd ends, while the kernel
// may still be reading it.
struct Call {
  CallKind kind;
  int fd = -1;
  unsigned flags = 0;
  std::vector<uint8_t> image;
  std::string text;  // parameters, or the name for delete_module
  std::shared_ptr<Channel> channel;
  // The result if the child was killed (the OOM killer) before it left one.
  Completion completion{0, -EINTR, 0, 0};
};

void MakeCall(Call* call) {
  call->completion.started_ns = MonotonicNs();
  long result = -1;
  switch (call->kind) {
    case CallKind::kFinit:
      result = syscall(SYS_finit_module, call->fd, call->text.c_str(), call->flags);
      break;
    case CallKind::kInit:
      result = syscall(SYS_init_module, call->image.data(), call->image.size(), call->text.c_str());
      break;
    case CallKind::kDelete:
      result = syscall(SYS_delete_module, call->text.c_str(), call->flags);
      break;
  }
  const int error = errno;
  call->completion.ended_ns = MonotonicNs();
  call->completion.result = result < 0 ? -error : 0;
}

void CloseRange(unsigned first, unsigned last) {
  if (first > last || syscall(SYS_close_range, first, last, 0) == 0) return;
  for (unsigned fd = first; fd <= last && fd < 1024; fd++) close(static_cast<int>(fd));  // before Linux 5.9
}

// The child runs on this thread's stack, so nothing but the call and what is safe between vfork and _exit may happen here.
__attribute__((noinline)) pid_t CallInChild(Call* call) {
  const pid_t pid = vfork();
  if (pid != 0) return pid;
  if (call->fd > 0) CloseRange(0, static_cast<unsigned>(call->fd) - 1);
  CloseRange(static_cast<unsigned>(call->fd) + 1, ~0U);
  MakeCall(call);
  _exit(0);
}

void Report(const Call& call) {
  auto* completion = new Completion(call.completion);
  const std::lock_guard<std::mutex> lock(call.channel->mutex);
  if (!call.channel->open ||
      napi_call_threadsafe_function(call.channel->function, completion, napi_tsfn_nonblocking) != napi_ok) {
    delete completion;
  }
}

void* RunThread(void* data) {
  const std::unique_ptr<Call> call(static_cast<Call*>(data));
  const pid_t child = CallInChild(call.get());
  if (child < 0) {
    MakeCall(call.get());
  } else {
    while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    if (call->completion.ended_ns == 0) call->completion.ended_ns = MonotonicNs();
  }
  Report(*call);
  return nullptr;
}

// Returns 0 or the errno of pthread_create. The thread starts with all signals blocked, and so does its child.
int StartThread(Call* call) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, 128 * 1024);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const int error = pthread_create(&thread, &attributes, RunThread, call);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  return error;
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

  void Start(std::unique_ptr<Call> call, const Napi::Function& done) {
    call->channel = channel_;
    call->completion.id = ++last_id_;
    if (waiting_.empty()) napi_ref_threadsafe_function(env_, channel_->function);
    waiting_.emplace(last_id_, Napi::Persistent(done));
    const int error = StartThread(call.get());
    if (error == 0) {
      (void)call.release();  // the thread owns it now
      return;
    }
    call->completion.started_ns = call->completion.ended_ns = MonotonicNs();
    call->completion.result = -error;
    Report(*call);
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

}  // namespace

Napi::Value FinitModule(const Napi::CallbackInfo& info) {
  if (info.Length() != 4 || !info[0].IsNumber() || !info[1].IsString() || !info[2].IsNumber() ||
      !info[3].IsFunction()) {
    return Misuse(info, "finitModule(fd, params, flags, done)");
  }
  auto call = std::make_unique<Call>();
  call->kind = CallKind::kFinit;
  call->fd = info[0].As<Napi::Number>().Int32Value();
  call->text = Latin1(info[1]);
  call->flags = info[2].As<Napi::Number>().Uint32Value();
  Calls(info.Env())->Start(std::move(call), info[3].As<Napi::Function>());
  return info.Env().Undefined();
}

Napi::Value InitModule(const Napi::CallbackInfo& info) {
  if (info.Length() != 3 || !info[0].IsTypedArray() || !info[1].IsString() || !info[2].IsFunction()) {
    return Misuse(info, "initModule(image, params, done)");
  }
  const auto array = info[0].As<Napi::TypedArray>();
  const auto* bytes = static_cast<const uint8_t*>(array.ArrayBuffer().Data()) + array.ByteOffset();
  auto call = std::make_unique<Call>();
  call->kind = CallKind::kInit;
  call->image.assign(bytes, bytes + array.ByteLength());
  call->text = Latin1(info[1]);
  Calls(info.Env())->Start(std::move(call), info[2].As<Napi::Function>());
  return info.Env().Undefined();
}

Napi::Value DeleteModule(const Napi::CallbackInfo& info) {
  if (info.Length() != 3 || !info[0].IsString() || !info[1].IsNumber() || !info[2].IsFunction()) {
    return Misuse(info, "deleteModule(name, flags, done)");
  }
  auto call = std::make_unique<Call>();
  call->kind = CallKind::kDelete;
  call->text = Latin1(info[0]);
  call->flags = info[1].As<Napi::Number>().Uint32Value();
  Calls(info.Env())->Start(std::move(call), info[2].As<Napi::Function>());
  return info.Env().Undefined();
}

}  // namespace plugd
