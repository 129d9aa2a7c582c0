// .zst images through libzstd.so.1. The few declarations are the library's stable ABI (zstd 1.3.0, zstd.h).
#include <dlfcn.h>

#include "decompression.h"

namespace plugd {
namespace {

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

}  // namespace

int DecompressZstdInto(Input input, Output* output, size_t* consumed) {
  const Zstd* zstd = OpenZstd();
  return zstd == nullptr ? -ENOSYS : Unzstd(*zstd, input, output, consumed);
}

}  // namespace plugd
