#ifndef PLUGD_LIBRARIES_H
#define PLUGD_LIBRARIES_H
// The C libraries of the compressions, opened when first needed and open until the process ends. Building needs no headers: these
// declarations are the libraries' stable ABI (xz 5.0: lzma/base.h, container.h, filter.h, check.h; zstd 1.3.0: zstd.h).
#include <dlfcn.h>

#include <cstddef>
#include <cstdint>

namespace plugd {

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

struct LzmaFilter {
  uint64_t id;
  void* options;
};

// lzma_options_lzma begins with the dictionary's size. A decoder of LZMA2 reads nothing else but a preset dictionary, here none.
struct LzmaOptions {
  uint32_t dictionary_size;
  uint8_t rest[252];
};

constexpr int kLzmaOk = 0, kLzmaStreamEnd = 1, kLzmaMemError = 5, kLzmaMemlimitError = 6;
constexpr int kLzmaFinish = 3;

struct Lzma {
  int (*stream_decoder)(LzmaStream*, uint64_t memory, uint32_t flags);
  int (*raw_decoder)(LzmaStream*, const LzmaFilter*);
  int (*code)(LzmaStream*, int action);
  void (*end)(LzmaStream*);
  uint32_t (*crc32)(const uint8_t*, size_t, uint32_t);
  uint64_t (*crc64)(const uint8_t*, size_t, uint64_t);
};

struct ZstdBuffer {  // ZSTD_inBuffer and ZSTD_outBuffer
  void* data;
  size_t size;
  size_t position;
};

struct Zstd {
  // A DStream is a DCtx (since 1.3.0).
  void* (*create)();
  size_t (*free_stream)(void*);
  size_t (*decompress_stream)(void*, ZstdBuffer* out, ZstdBuffer* in);
  size_t (*decompress)(void*, void* out, size_t out_size, const void* in, size_t in_size);
  unsigned long long (*content_size)(const void*, size_t);
  size_t (*frame_size)(const void*, size_t);
  unsigned (*is_error)(size_t);
};

// Looks up a function of an open library; false when the library lacks it.
template <typename Function>
bool Find(void* handle, const char* name, Function* function) {
  *function = reinterpret_cast<Function>(dlsym(handle, name));
  return *function != nullptr;
}

// nullptr where this machine lacks the library (xz.cc, zstd.cc).
const Lzma* OpenLzma();
const Zstd* OpenZstd();

}  // namespace plugd
#endif
