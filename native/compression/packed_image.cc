// Unpacks compressed module files in part, for depmod, which opens thousands of files and needs the symbols and some strings of each.
// Unlike decompress.cc, which returns whole images, it reuses memory, liblzma's state and its dictionary from file to file (a new image
// is 150,000 page faults in a tree of Debian's), and unpacks only those blocks of an .xz that are needed. It reads only the shape that
// kernel builds make; for anything else it returns -ENOTSUP, and decompress.cc decides.
//
// .xz (https://tukaani.org/xz/xz-file-format.txt): header 12, blocks, index, footer 12; numbers little-endian, `vli` 7 bits per byte.
//     header  fd '7zXZ' 00  flags 00 0c(check)  crc32
//     block   size/4-1  flags  [packed size vli]  [size vli]  filter 21 01 dict  padding  crc32  |  LZMA2 data  padding  check
//     index   00  count vli  { unpadded size vli, size vli } ...  padding  crc32
//     footer  crc32  index size/4-1 (u32)  flags  'YZ'
#include "packed_image.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

#include "libraries.h"

namespace plugd {
namespace {

constexpr uint64_t kLzma2 = 0x21, kNoFilter = UINT64_MAX;
constexpr uint64_t kLargestDictionary = 64 << 20;
// Room for an image is only addresses until its blocks are unpacked.
constexpr uint64_t kLargestImage = 512 << 20;

uint32_t U32(const uint8_t* at) {
  return at[0] | static_cast<uint32_t>(at[1]) << 8 | static_cast<uint32_t>(at[2]) << 16 |
         static_cast<uint32_t>(at[3]) << 24;
}

// A number of 7 bits per byte, lowest first; false when it does not end before `end` or within 9 bytes.
bool ReadVli(const uint8_t** at, const uint8_t* end, uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < 63 && *at < end; shift += 7) {
    const uint8_t byte = *(*at)++;
    *value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

constexpr uint8_t kHeaderMagic[] = {0xfd, '7', 'z', 'X', 'Z', 0x00};
constexpr size_t kHeader = 12, kFooter = 12;
// How much memory stays for the next file. Nearly all of Debian's images are smaller.
constexpr size_t kKept = 2 << 20;

int ReadFile(int fd, uint8_t* to, size_t size) {
  for (size_t at = 0; at < size;) {
    const ssize_t got = pread(fd, to + at, size - at, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -errno;
    if (got == 0) return -ENOTSUP;  // it became shorter
    at += static_cast<size_t>(got);
  }
  return 0;
}

}  // namespace

uint8_t* Memory::Reserve(size_t size) {
  if (size <= capacity_ && data_ != nullptr) return data_;
  Trim(0);
  const size_t capacity = std::max(size, kKept);
  void* memory = mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  data_ = static_cast<uint8_t*>(memory);
  capacity_ = capacity;
  return data_;
}

void Memory::Trim(size_t most) {
  if (data_ == nullptr || capacity_ <= most) return;
  munmap(data_, capacity_);
  data_ = nullptr;
  capacity_ = 0;
}

struct PackedImage::Decoders {
  LzmaStream lzma{};
  void* zstd = nullptr;
};

PackedImage::~PackedImage() {
  if (decoders_ == nullptr) return;
  if (decoders_->lzma.internal != nullptr) OpenLzma()->end(&decoders_->lzma);
  if (decoders_->zstd != nullptr) OpenZstd()->free_stream(decoders_->zstd);
  delete decoders_;
}

int PackedImage::Open(bool is_xz, int fd, size_t size, size_t limit) {
  if (is_xz ? OpenLzma() == nullptr : OpenZstd() == nullptr) return -ENOSYS;
  if (decoders_ == nullptr) decoders_ = new Decoders();
  is_xz_ = is_xz;
  file_size_ = size;
  blocks_.clear();
  limit_ = limit;
  if (file_.Reserve(size) == nullptr) return -ENOMEM;
  int error = ReadFile(fd, file_.data(), size);
  if (error == 0) error = is_xz ? OpenXz() : OpenZst();
  if (error != 0) return error;
  return image_.Reserve(size_) == nullptr ? -ENOMEM : 0;
}

int PackedImage::OpenXz() {
  const uint8_t* file = file_.data();
  if (file_size_ < kHeader + kFooter + 8 || memcmp(file, kHeaderMagic, sizeof kHeaderMagic) != 0) return -ENOTSUP;
  const Lzma& lzma = *OpenLzma();
  const uint8_t* footer = file + file_size_ - kFooter;
  if (lzma.crc32(file + 6, 2, 0) != U32(file + 8) || memcmp(footer + 10, "YZ", 2) != 0 ||
      lzma.crc32(footer + 4, 6, 0) != U32(footer) || memcmp(footer + 8, file + 6, 2) != 0 || file[6] != 0) {
    return -ENOTSUP;
  }
  // CRC32 or CRC64.
  if (file[7] != 1 && file[7] != 4) return -ENOTSUP;
  check_size_ = file[7] == 1 ? 4 : 8;
  const uint64_t index_size = (static_cast<uint64_t>(U32(footer + 4)) + 1) * 4;
  if (index_size < 8 || index_size > file_size_ - kHeader - kFooter) return -ENOTSUP;
  const uint8_t* index = footer - index_size;
  const uint8_t* index_end = footer - 4;
  if (lzma.crc32(index, index_size - 4, 0) != U32(index_end) || *index++ != 0) return -ENOTSUP;
  uint64_t count = 0;
  if (!ReadVli(&index, index_end, &count) || count > index_size) return -ENOTSUP;
  const uint64_t blocks_end = file_size_ - kFooter - index_size;
  uint64_t at = kHeader;
  size_ = 0;
  for (uint64_t i = 0; i < count; i++) {
    uint64_t unpadded = 0, size = 0;
    if (!ReadVli(&index, index_end, &unpadded) || !ReadVli(&index, index_end, &size)) return -ENOTSUP;
    if (unpadded > blocks_end - at || at + ((unpadded + 3) & ~uint64_t{3}) > blocks_end) return -ENOTSUP;
    if (size > kLargestImage || size_ + size > kLargestImage) return -EFBIG;
    blocks_.push_back({at, unpadded, size_, size, false});
    at += (unpadded + 3) & ~uint64_t{3};
    size_ += size;
  }
  // Something between the blocks and the index: another stream.
  return at == blocks_end ? 0 : -ENOTSUP;
}

int PackedImage::OpenZst() {
  const Zstd& zstd = *OpenZstd();
  // Unknown (-1) or an error (-2), or a second frame.
  const unsigned long long size = zstd.content_size(file_.data(), file_size_);
  if (size >= ~1ull || zstd.frame_size(file_.data(), file_size_) != file_size_) return -ENOTSUP;
  if (size > kLargestImage) return -EFBIG;
  blocks_.push_back({0, file_size_, 0, size, false});
  size_ = size;
  return 0;
}

int PackedImage::Need(uint64_t offset, uint64_t length) {
  if (offset > size_ || length > size_ - offset) return -ENOTSUP;
  for (Block& block : blocks_) {
    if (block.is_there || block.offset >= offset + length || block.offset + block.size <= offset) continue;
    const int error = Unpack(&block);
    if (error != 0) return error;
  }
  return 0;
}

int PackedImage::Unpack(Block* block) {
  if (block->size > limit_) return -EFBIG;
  limit_ -= block->size;
  if (is_xz_) {
    const int error = UnpackXz(*block);
    if (error != 0) return error;
  } else {
    const Zstd& zstd = *OpenZstd();
    if (decoders_->zstd == nullptr) decoders_->zstd = zstd.create();
    if (decoders_->zstd == nullptr) return -ENOMEM;
    if (zstd.decompress(decoders_->zstd, image_.data(), size_, file_.data(), file_size_) != size_) return -ENOTSUP;
  }
  block->is_there = true;
  return 0;
}

int PackedImage::UnpackXz(const Block& block) {
  const Lzma& lzma = *OpenLzma();
  const uint8_t* header = file_.data() + block.packed_offset;
  const size_t header_size = (static_cast<size_t>(header[0]) + 1) * 4;
  if (header[0] == 0 || block.unpadded_size < header_size + check_size_) return -ENOTSUP;
  const uint8_t* end = header + header_size - 4;
  if (lzma.crc32(header, header_size - 4, 0) != U32(end)) return -ENOTSUP;
  // One filter, nothing reserved.
  const uint8_t flags = header[1];
  if ((flags & 0x3f) != 0) return -ENOTSUP;
  const size_t packed_size = block.unpadded_size - header_size - check_size_;
  const uint8_t* at = header + 2;
  uint64_t value = 0;
  if ((flags & 0x40) != 0 && (!ReadVli(&at, end, &value) || value != packed_size)) return -ENOTSUP;
  if ((flags & 0x80) != 0 && (!ReadVli(&at, end, &value) || value != block.size)) return -ENOTSUP;
  if (!ReadVli(&at, end, &value) || value != kLzma2 || end - at < 2 || at[0] != 1 || at[1] > 39) return -ENOTSUP;
  const uint64_t dictionary = (2ull | (at[1] & 1)) << (at[1] / 2 + 11);
  if (dictionary > kLargestDictionary) return -ENOTSUP;
  for (at += 2; at < end; at++) {
    if (*at != 0) return -ENOTSUP;
  }

  LzmaOptions options{};
  options.dictionary_size = static_cast<uint32_t>(dictionary);
  const LzmaFilter filters[] = {{kLzma2, &options}, {kNoFilter, nullptr}};
  LzmaStream& stream = decoders_->lzma;
  if (lzma.raw_decoder(&stream, filters) != kLzmaOk) return -ENOMEM;
  uint8_t* out = image_.data() + block.offset;
  stream.next_in = header + header_size;
  stream.avail_in = packed_size;
  stream.next_out = out;
  stream.avail_out = block.size;
  int status = kLzmaOk;
  while (status == kLzmaOk) status = lzma.code(&stream, kLzmaFinish);
  if (status == kLzmaMemError) return -ENOMEM;
  if (status != kLzmaStreamEnd || stream.avail_in != 0 || stream.avail_out != 0) return -ENOTSUP;
  // After the padding; OpenXz() checked that the padded block ends before the index.
  const uint8_t* check = header + header_size + ((packed_size + 3) & ~size_t{3});
  for (const uint8_t* padding = header + header_size + packed_size; padding < check; padding++) {
    if (*padding != 0) return -ENOTSUP;
  }
  if (check_size_ == 4) return lzma.crc32(out, block.size, 0) == U32(check) ? 0 : -ENOTSUP;
  return lzma.crc64(out, block.size, 0) == (U32(check) | static_cast<uint64_t>(U32(check + 4)) << 32) ? 0 : -ENOTSUP;
}

void PackedImage::Close() {
  file_.Trim(kKept);
  image_.Trim(kKept);
}

}  // namespace plugd
