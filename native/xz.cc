// .xz images through liblzma.so.5. The few declarations are the library's stable ABI (xz 5.0, lzma/base.h and
// lzma/container.h).
#include <dlfcn.h>

#include "decompression.h"

namespace plugd {
namespace {

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

}  // namespace

int DecompressXzInto(Input input, Output* output, size_t* consumed) {
  const Lzma* lzma = OpenLzma();
  return lzma == nullptr ? -ENOSYS : Unxz(*lzma, input, output, consumed);
}

}  // namespace plugd
