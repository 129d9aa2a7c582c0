// .zst images through libzstd.so.1.
#include "decompression.h"
#include "libraries.h"

namespace plugd {
namespace {

// `consumed`: as in xz.cc, after the first frame.
int Unzstd(const Zstd& zstd, Input input, Output* output, size_t* consumed) {
  void* stream = zstd.create();
  if (stream == nullptr) return -ENOMEM;
  ZstdBuffer in{const_cast<uint8_t*>(input.data), input.size, 0};
  int error = 0;
  // 0 = a frame ended; the next call begins another one, or fails on anything else.
  size_t hint = 1;
  while (error == 0 && (in.position < in.size || hint != 0)) {
    error = output->MakeRoom();
    if (error != 0) break;
    ZstdBuffer out{output->free_begin(), output->free_size(), 0};
    const size_t before = in.position;
    hint = zstd.decompress_stream(stream, &out, &in);
    output->Wrote(out.position);
    if (zstd.is_error(hint) != 0) {
      error = -EBADMSG;
    } else if (hint != 0 && out.position == 0 && in.position == before) {
      error = -EBADMSG;  // it needs more input than there is
    }
    if (hint == 0 && consumed != nullptr) break;
  }
  if (consumed != nullptr) *consumed = in.position;
  zstd.free_stream(stream);
  return error;
}

}  // namespace

const Zstd* OpenZstd() {
  static const Zstd* const library = []() -> const Zstd* {
    static Zstd zstd{};
    void* handle = dlopen("libzstd.so.1", RTLD_NOW | RTLD_LOCAL);
    const bool whole = handle != nullptr && Find(handle, "ZSTD_createDStream", &zstd.create) &&
                       Find(handle, "ZSTD_freeDStream", &zstd.free_stream) &&
                       Find(handle, "ZSTD_decompressStream", &zstd.decompress_stream) &&
                       Find(handle, "ZSTD_decompressDCtx", &zstd.decompress) &&
                       Find(handle, "ZSTD_getFrameContentSize", &zstd.content_size) &&
                       Find(handle, "ZSTD_findFrameCompressedSize", &zstd.frame_size) &&
                       Find(handle, "ZSTD_isError", &zstd.is_error);
    return whole ? &zstd : nullptr;
  }();
  return library;
}

int DecompressZstdInto(Input input, Output* output, size_t* consumed) {
  const Zstd* zstd = OpenZstd();
  return zstd == nullptr ? -ENOSYS : Unzstd(*zstd, input, output, consumed);
}

}  // namespace plugd
