// Decompresses .xz and .zst images with the C libraries that every Debian has (liblzma.so.5, libzstd.so.1). It opens them when first
// needed, so a command that meets no compressed module pays nothing, and building needs no headers.
//
// It returns the whole image or an error: truncated input, a failed check and bytes after the end are all EBADMSG.
#include <string>

#include "arguments.h"
#include "decompression.h"
#include "functions.h"

namespace plugd {

int DecompressXzInto(Input input, Output* output, size_t* consumed);    // xz.cc
int DecompressZstdInto(Input input, Output* output, size_t* consumed);  // zstd.cc

namespace {

struct Format {
  const char* name;
  Decompress decompress;
};
constexpr Format kFormats[] = {{"xz", DecompressXzInto}, {"zstd", DecompressZstdInto}};

// The function of a format; null for an unknown word.
Decompress FormatOf(const std::string& name) {
  for (const Format& format : kFormats) {
    if (name == format.name) return format.decompress;
  }
  return nullptr;
}

struct Arguments {
  Input input;
  size_t limit;
};

// The `count` arguments of a call, beginning with (format, image, limit); null when they have other types.
Decompress ReadArguments(const Napi::CallbackInfo& info, size_t count, Arguments* arguments) {
  if (info.Length() != count || !info[0].IsString() || !info[1].IsTypedArray() || !info[2].IsNumber()) return nullptr;
  const auto array = info[1].As<Napi::TypedArray>();
  const auto* bytes = static_cast<const uint8_t*>(array.ArrayBuffer().Data());
  const double limit = info[2].As<Napi::Number>().DoubleValue();
  if (!(limit >= 0 && limit < 0x1p40)) return nullptr;
  *arguments = {{bytes + array.ByteOffset(), array.ByteLength()}, static_cast<size_t>(limit)};
  return FormatOf(Latin1(info[0]));
}

// What came out of the first stream or frame, with how much that took.
Napi::Value First(Napi::Env env, Output* output, size_t consumed) {
  Napi::Object first = Napi::Object::New(env);
  first.Set("image", output->Take(env));
  first.Set("consumed", Napi::Number::New(env, static_cast<double>(consumed)));
  return first;
}

// Either of them on libuv's pool.
class LaterWork : public Napi::AsyncWorker {
 public:
  LaterWork(const Napi::Function& done, const Napi::Object& image, const Arguments& arguments, Decompress decompress,
            bool first)
      : AsyncWorker(done, "plugd decompression"),
        image_(Napi::Persistent(image)),
        input_(arguments.input),
        output_(arguments.input.size, arguments.limit),
        decompress_(decompress),
        first_(first) {}

  void Execute() override { error_ = decompress_(input_, &output_, first_ ? &consumed_ : nullptr); }

  void OnOK() override {
    const Napi::HandleScope scope(Env());
    Callback().Call({Result()});
  }

 private:
  Napi::Value Result() {
    if (error_ != 0) return Napi::Number::New(Env(), error_);
    return first_ ? First(Env(), &output_, consumed_) : output_.Take(Env());
  }

  Napi::ObjectReference image_;  // keeps the bytes of input_ where they are
  Input input_;
  Output output_;
  Decompress decompress_;
  bool first_;
  size_t consumed_ = 0;
  int error_ = 0;
};

Napi::Value Later(const Napi::CallbackInfo& info, bool first, const char* usage) {
  Arguments arguments;
  const Decompress decompress = ReadArguments(info, 4, &arguments);
  if (decompress == nullptr || !info[3].IsFunction()) return Misuse(info, usage);
  // It deletes itself when it is done.
  auto* work = new LaterWork(info[3].As<Napi::Function>(), info[1].As<Napi::Object>(), arguments, decompress, first);
  work->Queue();
  return info.Env().Undefined();
}

}  // namespace

Napi::Value DecompressWhole(const Napi::CallbackInfo& info) {
  Arguments arguments;
  const Decompress decompress = ReadArguments(info, 3, &arguments);
  if (decompress == nullptr) return Misuse(info, "decompress('xz' or 'zstd', image, limit)");
  Output output(arguments.input.size, arguments.limit);
  const int error = decompress(arguments.input, &output, nullptr);
  return error != 0 ? Number(info, error) : output.Take(info.Env());
}

Napi::Value DecompressFirst(const Napi::CallbackInfo& info) {
  Arguments arguments;
  const Decompress decompress = ReadArguments(info, 3, &arguments);
  if (decompress == nullptr) return Misuse(info, "decompressFirst('xz' or 'zstd', image, limit)");
  Output output(arguments.input.size, arguments.limit);
  size_t consumed = 0;
  const int error = decompress(arguments.input, &output, &consumed);
  return error != 0 ? Number(info, error) : First(info.Env(), &output, consumed);
}

Napi::Value DecompressInPieces(const Napi::CallbackInfo& info) {
  Arguments arguments;
  const Decompress decompress = ReadArguments(info, 5, &arguments);
  if (decompress == nullptr || !info[3].IsTypedArray() || !info[4].IsFunction() ||
      info[3].As<Napi::TypedArray>().ByteLength() == 0) {
    return Misuse(info, "decompressInPieces('xz' or 'zstd', image, limit, into, piece)");
  }
  const auto into = info[3].As<Napi::TypedArray>();
  auto* memory = static_cast<uint8_t*>(into.ArrayBuffer().Data()) + into.ByteOffset();
  const auto piece = info[4].As<Napi::Function>();
  Output output(memory, into.ByteLength(), arguments.limit, [&info, &piece](size_t size) {
    const Napi::HandleScope scope(info.Env());
    const Napi::Value more = piece.Call({Number(info, static_cast<int64_t>(size))});
    // What the function throws is thrown when this call returns.
    return info.Env().IsExceptionPending() || !more.ToBoolean().Value() ? -ECANCELED : 0;
  });
  size_t consumed = 0;
  int error = decompress(arguments.input, &output, &consumed);
  if (error == 0) error = output.Empty();
  return Number(info, error != 0 ? error : static_cast<int64_t>(consumed));
}

Napi::Value DecompressAsync(const Napi::CallbackInfo& info) {
  return Later(info, false, "decompressAsync('xz' or 'zstd', image, limit, done)");
}

Napi::Value DecompressFirstAsync(const Napi::CallbackInfo& info) {
  return Later(info, true, "decompressFirstAsync('xz' or 'zstd', image, limit, done)");
}

}  // namespace plugd
