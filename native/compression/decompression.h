#ifndef PLUGD_DECOMPRESSION_H
#define PLUGD_DECOMPRESSION_H
// What the compressions share: bytes in, a growing output, and one function each. To add one, write a file like xz.cc and add a row
// to decompress.cc.
#include <napi.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <utility>

namespace plugd {

struct Input {
  const uint8_t* data;
  size_t size;
};

// Gets the next bytes of an output: 0, or -errno to end it.
using Drain = std::function<int(size_t)>;

// An output of at most `limit` bytes: one that grows and is passed to JavaScript without a copy, or one of memory that a drain empties
// each time it is full.
class Output {
 public:
  Output(size_t input_size, size_t limit) : limit_(limit) { Grow(std::max<size_t>(input_size * 4, 64 * 1024)); }
  Output(uint8_t* data, size_t capacity, size_t limit, Drain drain)
      : limit_(limit), data_(data), capacity_(capacity), drain_(std::move(drain)) {}
  ~Output() {
    if (!drain_) free(data_);
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  uint8_t* free_begin() const { return data_ + size_; }
  size_t free_size() const { return capacity_ - size_; }
  void Wrote(size_t bytes) { size_ += bytes; }

  // Makes room: 0, -EFBIG at the limit (one byte more than the limit is allowed, to tell "full" from "too long"), or -ENOMEM.
  int MakeRoom() {
    if (data_ == nullptr) return -ENOMEM;
    if (free_size() > 0) return 0;
    if (drain_) return Empty();
    if (size_ > limit_) return -EFBIG;
    return Grow(capacity_ * 2);
  }

  // Hands the drain what it has: 0, -EFBIG when that is more than the limit, or what the drain answers.
  int Empty() {
    drained_ += size_;
    if (drained_ > limit_) return -EFBIG;
    const size_t size = size_;
    size_ = 0;
    return size == 0 ? 0 : drain_(size);
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
  size_t drained_ = 0;
  Drain drain_;
};

// Decompresses into `output`: 0, or -errno. With `consumed` it stops after the first stream (frame) and reports how much input that
// took; without it, all of the input must be streams.
using Decompress = int (*)(Input, Output*, size_t* consumed);

}  // namespace plugd
#endif
