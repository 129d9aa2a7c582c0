// .xz and .zst images through the C libraries that every Debian has (liblzma.so.5, libzstd.so.1), opened when first needed:
// a command that meets no compressed module pays nothing, and building needs no headers. The few declarations below are the
// libraries' stable ABI (xz 5.0 lzma/base.h and lzma/container.h; zstd 1.3.0 zstd.h).
//
// An answer is the whole image or an error: truncated input, a failed check and bytes after the end are all EBADMSG.
#include "decompress.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <dlfcn.h>

#include "arguments.h"

namespace plugd {
namespace {

struct Input {
  const uint8_t* data;
  size_t size;
};

// A growing output of at most `limit` bytes, handed to JavaScript without a copy.
class Output {
 public:
  Output(size_t input_size, size_t limit) : limit_(limit) { Grow(std::max<size_t>(input_size * 4, 64 * 1024)); }
  ~Output() { free(data_); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  uint8_t* free_begin() const { return data_ + size_; }
  size_t free_size() const { return capacity_ - size_; }
  void Wrote(size_t bytes) { size_ += bytes; }

  // Room for more; 0, or -EFBIG at the limit (one byte over it is kept to tell "full" from "too long"), or -ENOMEM.
  int MakeRoom() {
    if (data_ == nullptr) return -ENOMEM;
    if (free_size() > 0) return 0;
    if (size_ > limit_) return -EFBIG;
    return Grow(capacity_ * 2);
  }

  Napi::Value Take(Napi::Env env) {
    if (size_ > limit_) return Napi::Number::New(env, -EFBIG);
    if (size_ == 0) return Napi::Buffer<uint8_t>::New(env, 0);
    auto* fitted = static_cast<uint8_t*>(realloc(data_, size_));
    uint8_t* data = fitted == nullptr ? data_ : fitted;
    data_ = nullptr;
    return Napi::Buffer<uint8_t>::New(env, data, size_, [](Napi::Env, uint8_t* bytes) { free(bytes); });
  }

 private:
  int Grow(size_t wanted) {
    const size_t capacity = std::min(wanted, limit_ + 1);
    auto* grown = static_cast<uint8_t*>(realloc(data_, capacity));
    if (grown == nullptr) return -ENOMEM;
    data_ = grown;
    capacity_ = capacity;
    return 0;
  }

  size_t limit_;
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// --- liblzma ---------------------------------------------------------------------------------------------------------

struct LzmaStream {
  const uint8_t* next_in;
  size_t avail_in;
  uint64_t total_in;
  uint8_t* next_out;
  size_t avail_out;
  uint64_t total_out;
  const void* allocator;
  void* internal;
  void* reserved_pointers[4];
  uint64_t reserved_int1;
  uint64_t reserved_int2;
  size_t reserved_int3;
  size_t reserved_int4;
  int reserved_enum1;
  int reserved_enum2;
};

constexpr int kLzmaOk = 0, kLzmaStreamEnd = 1, kLzmaMemError = 5, kLzmaMemlimitError = 6;
constexpr int kLzmaFinish = 3;
constexpr uint32_t kLzmaConcatenated = 0x08;
// xz -9 needs 65 MiB; a hostile header may claim 4 GiB.
constexpr uint64_t kLzmaMemory = 160 << 20;

struct Lzma {
  int (*stream_decoder)(LzmaStream*, uint64_t, uint32_t);
  int (*code)(LzmaStream*, int);
  void (*end)(LzmaStream*);
};

// A library stays open until the process ends: closing it would gain nothing.
const Lzma* OpenLzma() {
  static const Lzma library = [] {
    Lzma lzma{};
    void* handle = dlopen("liblzma.so.5", RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) return lzma;
    lzma.stream_decoder = reinterpret_cast<decltype(lzma.stream_decoder)>(dlsym(handle, "lzma_stream_decoder"));
    lzma.code = reinterpret_cast<decltype(lzma.code)>(dlsym(handle, "lzma_code"));
    lzma.end = reinterpret_cast<decltype(lzma.end)>(dlsym(handle, "lzma_end"));
    return lzma;
  }();
  const bool whole = library.stream_decoder != nullptr && library.code != nullptr && library.end != nullptr;
  return whole ? &library : nullptr;
}

// With `consumed` it stops after the first stream and tells how much of the input that took; without, all of it must be streams.
int Unxz(const Lzma& lzma, Input input, Output* output, size_t* consumed) {
  LzmaStream stream{};
  const uint32_t flags = consumed == nullptr ? kLzmaConcatenated : 0;
  if (lzma.stream_decoder(&stream, kLzmaMemory, flags) != kLzmaOk) return -ENOMEM;
  stream.next_in = input.data;
  stream.avail_in = input.size;
  int error = 0;
  int status = kLzmaOk;
  while (status == kLzmaOk && error == 0) {
    error = output->MakeRoom();
    if (error != 0) break;
    stream.next_out = output->free_begin();
    stream.avail_out = output->free_size();
    const size_t room = stream.avail_out;
    status = lzma.code(&stream, kLzmaFinish);
    output->Wrote(room - stream.avail_out);
  }
  if (consumed != nullptr) *consumed = input.size - stream.avail_in;
  lzma.end(&stream);
  if (error != 0) return error;
  if (status == kLzmaStreamEnd) return 0;
  return status == kLzmaMemError || status == kLzmaMemlimitError ? -ENOMEM : -EBADMSG;
}

// --- libzstd ---------------------------------------------------------------------------------------------------------

struct ZstdBuffer {  // ZSTD_inBuffer and ZSTD_outBuffer
  void* data;
  size_t size;
  size_t position;
};

struct Zstd {
  void* (*create)();
  size_t (*free_stream)(void*);
  size_t (*decompress)(void*, ZstdBuffer* out, ZstdBuffer* in);
  unsigned (*is_error)(size_t);
};

const Zstd* OpenZstd() {
  static const Zstd library = [] {
    Zstd zstd{};
    void* handle = dlopen("libzstd.so.1", RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) return zstd;
    zstd.create = reinterpret_cast<decltype(zstd.create)>(dlsym(handle, "ZSTD_createDStream"));
    zstd.free_stream = reinterpret_cast<decltype(zstd.free_stream)>(dlsym(handle, "ZSTD_freeDStream"));
    zstd.decompress = reinterpret_cast<decltype(zstd.decompress)>(dlsym(handle, "ZSTD_decompressStream"));
    zstd.is_error = reinterpret_cast<decltype(zstd.is_error)>(dlsym(handle, "ZSTD_isError"));
    return zstd;
  }();
  const bool whole = library.create != nullptr && library.free_stream != nullptr && library.decompress != nullptr &&
                     library.is_error != nullptr;
  return whole ? &library : nullptr;
}

// `consumed`: as for Unxz, after the first frame.
int Unzstd(const Zstd& zstd, Input input, Output* output, size_t* consumed) {
  void* stream = zstd.create();
  if (stream == nullptr) return -ENOMEM;
  ZstdBuffer in{const_cast<uint8_t*>(input.data), input.size, 0};
  int error = 0;
  // 0 = a frame ended; the next call begins another one, or fails on what is not a frame.
  size_t hint = 1;
  while (error == 0 && (in.position < in.size || hint != 0)) {
    error = output->MakeRoom();
    if (error != 0) break;
    ZstdBuffer out{output->free_begin(), output->free_size(), 0};
    const size_t before = in.position;
    hint = zstd.decompress(stream, &out, &in);
    output->Wrote(out.position);
    if (zstd.is_error(hint) != 0) {
      error = -EBADMSG;
    } else if (hint != 0 && out.position == 0 && in.position == before) {
      error = -EBADMSG;  // it wants more than there is
    }
    if (hint == 0 && consumed != nullptr) break;
  }
  if (consumed != nullptr) *consumed = in.position;
  zstd.free_stream(stream);
  return error;
}

// ---------------------------------------------------------------------------------------------------------------------

struct Arguments {
  Input input;
  size_t limit;
};

// The arguments (image, limit) that begin at `first`; false when they are something else.
bool ReadArguments(const Napi::CallbackInfo& info, size_t first, Arguments* arguments) {
  if (!info[first].IsTypedArray() || !info[first + 1].IsNumber()) return false;
  const auto array = info[first].As<Napi::TypedArray>();
  const auto* bytes = static_cast<const uint8_t*>(array.ArrayBuffer().Data());
  const double limit = info[first + 1].As<Napi::Number>().DoubleValue();
  if (!(limit >= 0 && limit < 0x1p40)) return false;
  *arguments = {{bytes + array.ByteOffset(), array.ByteLength()}, static_cast<size_t>(limit)};
  return true;
}

int DecompressXzInto(Input input, Output* output, size_t* consumed) {
  const Lzma* lzma = OpenLzma();
  return lzma == nullptr ? -ENOSYS : Unxz(*lzma, input, output, consumed);
}

int DecompressZstdInto(Input input, Output* output, size_t* consumed) {
  const Zstd* zstd = OpenZstd();
  return zstd == nullptr ? -ENOSYS : Unzstd(*zstd, input, output, consumed);
}

using Decompress = int (*)(Input, Output*, size_t* consumed);

Napi::Value Run(const Napi::CallbackInfo& info, Decompress decompress, const char* usage) {
  Arguments arguments;
  if (info.Length() != 2 || !ReadArguments(info, 0, &arguments)) return Misuse(info, usage);
  Output output(arguments.input.size, arguments.limit);
  const int error = decompress(arguments.input, &output, nullptr);
  return error != 0 ? Number(info, error) : output.Take(info.Env());
}

// The same on libuv's pool.
class LaterWork : public Napi::AsyncWorker {
 public:
  LaterWork(const Napi::Function& done, const Napi::Object& image, const Arguments& arguments, Decompress decompress)
      : AsyncWorker(done, "plugd decompression"),
        image_(Napi::Persistent(image)),
        input_(arguments.input),
        output_(arguments.input.size, arguments.limit),
        decompress_(decompress) {}

  void Execute() override { error_ = decompress_(input_, &output_, nullptr); }

  void OnOK() override {
    const Napi::HandleScope scope(Env());
    const Napi::Value result = error_ != 0 ? Napi::Number::New(Env(), error_) : output_.Take(Env());
    Callback().Call({result});
  }

 private:
  Napi::ObjectReference image_;  // keeps the bytes of input_ where they are
  Input input_;
  Output output_;
  Decompress decompress_;
  int error_ = 0;
};

}  // namespace

Napi::Value DecompressXz(const Napi::CallbackInfo& info) {
  return Run(info, DecompressXzInto, "decompressXz(image, limit)");
}

Napi::Value DecompressZstd(const Napi::CallbackInfo& info) {
  return Run(info, DecompressZstdInto, "decompressZstd(image, limit)");
}

Napi::Value DecompressFirst(const Napi::CallbackInfo& info) {
  const char* usage = "decompressFirst('xz' or 'zstd', image, limit)";
  Arguments arguments;
  if (info.Length() != 3 || !info[0].IsString() || !ReadArguments(info, 1, &arguments)) return Misuse(info, usage);
  const std::string format = Latin1(info[0]);
  if (format != "xz" && format != "zstd") return Misuse(info, usage);
  Output output(arguments.input.size, arguments.limit);
  size_t consumed = 0;
  const Decompress decompress = format == "xz" ? DecompressXzInto : DecompressZstdInto;
  const int error = decompress(arguments.input, &output, &consumed);
  if (error != 0) return Number(info, error);
  Napi::Object first = Napi::Object::New(info.Env());
  first.Set("image", output.Take(info.Env()));
  first.Set("consumed", Number(info, static_cast<int64_t>(consumed)));
  return first;
}

Napi::Value DecompressLater(const Napi::CallbackInfo& info) {
  const char* usage = "decompressLater('xz' or 'zstd', image, limit, done)";
  Arguments arguments;
  if (info.Length() != 4 || !info[0].IsString() || !ReadArguments(info, 1, &arguments) || !info[3].IsFunction()) {
    return Misuse(info, usage);
  }
  const std::string format = Latin1(info[0]);
  if (format != "xz" && format != "zstd") return Misuse(info, usage);
  // It deletes itself when it is done.
  auto* work = new LaterWork(info[3].As<Napi::Function>(), info[1].As<Napi::Object>(), arguments,
                             format == "xz" ? DecompressXzInto : DecompressZstdInto);
  work->Queue();
  return info.Env().Undefined();
}

}  // namespace plugd
