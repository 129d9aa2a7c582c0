#ifndef PLUGD_PACKED_IMAGE_H
#define PLUGD_PACKED_IMAGE_H
#include <cstddef>
#include <cstdint>
#include <vector>

namespace plugd {

// Memory for reuse, never cleared: untouched pages cost nothing. It comes straight from the kernel and returns there; malloc would keep
// a hole for each thread and size.
class Memory {
 public:
  Memory() = default;
  ~Memory() { Trim(0); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // At least `size` bytes, of any contents; nullptr when there is no memory.
  uint8_t* Reserve(size_t size);
  // Frees what exceeds `most` bytes.
  void Trim(size_t most);
  uint8_t* data() const { return data_; }

 private:
  uint8_t* data_ = nullptr;
  size_t capacity_ = 0;
};

// A file of one .xz stream or one .zst frame, as kernel builds make them, unpacked only as far as needed: an .xz of several blocks
// (`xz --block-size`) block by block, everything else at once. It owns its memory and serves one file after the other.
class PackedImage {
 public:
  PackedImage() = default;
  ~PackedImage();
  PackedImage(const PackedImage&) = delete;
  PackedImage& operator=(const PackedImage&) = delete;

  // Reads `size` bytes of the file, of which Need() will unpack at most `limit` bytes. Returns 0; -ENOTSUP for a file of any other
  // shape, which need not be damaged; -EFBIG for an image of more than 512 MiB; -ENOSYS without the library; -ENOMEM; or the error of
  // read(2).
  int Open(bool is_xz, int fd, size_t size, size_t limit);
  // Unpacks the bytes [offset, offset + length): 0, -ENOTSUP when they are damaged or outside, -EFBIG over the limit, or -ENOMEM.
  int Need(uint64_t offset, uint64_t length);
  // The unpacked size.
  uint64_t size() const { return size_; }
  // The unpacked bytes, valid where Need() returned 0.
  const uint8_t* bytes() const { return image_.data(); }
  // Frees large memory.
  void Close();

 private:
  struct Block {
    size_t packed_offset;
    size_t unpadded_size;
    uint64_t offset;
    uint64_t size;
    bool is_there;
  };
  struct Decoders;

  int OpenXz();
  int OpenZst();
  int Unpack(Block* block);
  int UnpackXz(const Block& block);

  Memory file_;
  Memory image_;
  Decoders* decoders_ = nullptr;
  std::vector<Block> blocks_;
  size_t file_size_ = 0;
  uint64_t size_ = 0;
  size_t limit_ = 0;
  bool is_xz_ = false;
  size_t check_size_ = 0;
};

}  // namespace plugd
#endif
