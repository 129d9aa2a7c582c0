// A listening unix socket for the request helper while a coldplug runs. node:net does the same and better, but loading it and its
// streams takes longer than a coldplug saves by answering (0.2 s on the emulated machine, and 20 ms for each connection while its
// JavaScript is new). Everything happens on the event loop's thread.

#include <cerrno>
#include <cstdint>
#include <string>
#include <sys/stat.h>
#include <unordered_map>
#include <uv.h>

#include "arguments.h"
#include "functions.h"

namespace plugd {
namespace {

constexpr int kBacklog = 128;
constexpr size_t kLongestLine = 65536;

class Listener;

struct Connection {
  uv_pipe_t pipe;
  Listener* listener;
  uint32_t id;
  std::string line;
  char buffer[1024];
};

// Lives until its handle is closed. If the process ends first, it is never freed.
class Listener {
 public:
  Listener(Napi::Env env, Napi::Function line) : context_(env, "plugd line socket"), line_(Napi::Persistent(line)) {}

  int Listen(uv_loop_t* loop, const std::string& path) {
    uv_pipe_init(loop, &server_, 0);
    server_.data = this;
    const mode_t before = umask(0177);  // the socket never exists with any mode but 0600
    int result = uv_pipe_bind(&server_, path.c_str());
    umask(before);
    if (result == 0) result = uv_listen(reinterpret_cast<uv_stream_t*>(&server_), kBacklog, OnConnection);
    // Waiting for requests alone must not keep the process alive.
    uv_unref(reinterpret_cast<uv_handle_t*>(&server_));
    return result;
  }

  void Send(uint32_t id, const std::string& text, bool last) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    Connection* connection = found->second;
    uv_buf_t buffer = uv_buf_init(const_cast<char*>(text.data()), static_cast<unsigned>(text.size()));
    const int sent = uv_try_write(reinterpret_cast<uv_stream_t*>(&connection->pipe), &buffer, 1);
    // A peer that cannot take even these few bytes goes without an answer: the helper then runs modprobe.
    if (last || sent != static_cast<int>(text.size())) Drop(connection);
  }

  void Close() {
    while (!connections_.empty()) Drop(connections_.begin()->second);
    uv_close(reinterpret_cast<uv_handle_t*>(&server_),
             [](uv_handle_t* handle) { delete static_cast<Listener*>(handle->data); });
  }

 private:
  static void OnConnection(uv_stream_t* server, int status) {
    if (status < 0) return;
    auto* listener = static_cast<Listener*>(server->data);
    auto* connection = new Connection;
    connection->listener = listener;
    connection->id = ++listener->last_;
    uv_pipe_init(server->loop, &connection->pipe, 0);
    connection->pipe.data = connection;
    listener->connections_[connection->id] = connection;
    auto* stream = reinterpret_cast<uv_stream_t*>(&connection->pipe);
    uv_unref(reinterpret_cast<uv_handle_t*>(&connection->pipe));
    if (uv_accept(server, stream) != 0 || uv_read_start(stream, OnAllocate, OnRead) != 0) listener->Drop(connection);
  }

  static void OnAllocate(uv_handle_t* handle, size_t, uv_buf_t* buffer) {
    auto* connection = static_cast<Connection*>(handle->data);
    *buffer = uv_buf_init(connection->buffer, sizeof connection->buffer);
  }

  static void OnRead(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
    auto* connection = static_cast<Connection*>(stream->data);
    Listener* listener = connection->listener;
    if (count == 0) return;
    if (count < 0) return listener->Drop(connection);
    connection->line.append(buffer->base, static_cast<size_t>(count));
    const size_t end = connection->line.find('\n');
    if (end == std::string::npos) {
      if (connection->line.size() > kLongestLine) listener->Drop(connection);
      return;
    }
    uv_read_stop(stream);  // a connection may send one line
    listener->Tell(connection->id, connection->line.substr(0, end));
  }

  void Tell(uint32_t id, const std::string& text) {
    const Napi::Env env = line_.Env();
    const Napi::HandleScope scope(env);
    napi_value line = nullptr;
    napi_create_string_latin1(env, text.data(), text.size(), &line);
    line_.MakeCallback(env.Global(), {Napi::Number::New(env, id), line}, context_);
    if (env.IsExceptionPending()) napi_fatal_exception(env, env.GetAndClearPendingException().Value());
  }

  void Drop(Connection* connection) {
    connections_.erase(connection->id);
    uv_close(reinterpret_cast<uv_handle_t*>(&connection->pipe),
             [](uv_handle_t* handle) { delete static_cast<Connection*>(handle->data); });
  }

  uv_pipe_t server_{};
  Napi::AsyncContext context_;
  Napi::FunctionReference line_;
  uint32_t last_ = 0;
  std::unordered_map<uint32_t, Connection*> connections_;
};

// What JavaScript holds: it knows whether the listener still exists. Never freed: the two functions may outlive their object.
struct Holder {
  Listener* listener;
};

Holder* HolderOf(const Napi::CallbackInfo& info) { return static_cast<Holder*>(info.Data()); }

Napi::Value Send(const Napi::CallbackInfo& info) {
  if (info.Length() != 3 || !info[0].IsNumber() || !info[1].IsString() || !info[2].IsBoolean()) {
    return Misuse(info, "send(connection, text, last)");
  }
  Listener* listener = HolderOf(info)->listener;
  if (listener != nullptr) {
    listener->Send(info[0].As<Napi::Number>().Uint32Value(), Latin1(info[1]), info[2].As<Napi::Boolean>().Value());
  }
  return info.Env().Undefined();
}

Napi::Value Close(const Napi::CallbackInfo& info) {
  Holder* holder = HolderOf(info);
  if (holder->listener != nullptr) holder->listener->Close();
  holder->listener = nullptr;
  return info.Env().Undefined();
}

}  // namespace

Napi::Value ListenLines(const Napi::CallbackInfo& info) {
  if (info.Length() != 2 || !info[0].IsString() || !info[1].IsFunction())
    return Misuse(info, "listenLines(path, line)");
  const Napi::Env env = info.Env();
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return Number(info, -ENOSYS);
  auto* listener = new Listener(env, info[1].As<Napi::Function>());
  const int result = listener->Listen(loop, info[0].As<Napi::String>().Utf8Value());
  if (result != 0) {
    listener->Close();
    return Number(info, result);
  }
  auto* holder = new Holder{listener};
  Napi::Object socket = Napi::Object::New(env);
  socket.Set("send", Napi::Function::New(env, Send, "send", holder));
  socket.Set("close", Napi::Function::New(env, Close, "close", holder));
  return socket;
}

}  // namespace plugd
