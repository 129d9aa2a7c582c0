// .xz images through liblzma.so.5.
#include "decompression.h"
#include "libraries.h"

namespace plugd {
namespace {

constexpr uint32_t kLzmaConcatenated = 0x08;
// xz -9 needs 65 MiB; a hostile header may claim 4 GiB.
constexpr uint64_t kLzmaMemory = 160 << 20;

// With `consumed` it stops after the first stream and reports how much input that took; without it, all of it must be streams.
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

const Lzma* OpenLzma() {
  static const Lzma* const library = []() -> const Lzma* {
    static Lzma lzma{};
    void* handle = dlopen("liblzma.so.5", RTLD_NOW | RTLD_LOCAL);
    const bool whole = handle != nullptr && Find(handle, "lzma_stream_decoder", &lzma.stream_decoder) &&
                       Find(handle, "lzma_raw_decoder", &lzma.raw_decoder) && Find(handle, "lzma_code", &lzma.code) &&
                       Find(handle, "lzma_end", &lzma.end) && Find(handle, "lzma_crc32", &lzma.crc32) &&
                       Find(handle, "lzma_crc64", &lzma.crc64);
    return whole ? &lzma : nullptr;
  }();
  return library;
}

int DecompressXzInto(Input input, Output* output, size_t* consumed) {
  const Lzma* lzma = OpenLzma();
  return lzma == nullptr ? -ENOSYS : Unxz(*lzma, input, output, consumed);
}

}  // namespace plugd
