// Unpacks some sections of a compressed module file, on libuv's pool, so that JavaScript gets a few kilobytes instead of a whole image.
// This file judges nothing: it passes the section headers along, and the one ELF reader (agent/facts/modfiles/elf.ts) reads them as in
// a whole file. If the headers make no sense it returns -ENOTSUP, and that reader gets the whole image.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "arguments.h"
#include "functions.h"
#include "packed_image.h"

namespace plugd {
namespace {

struct Part {
  uint64_t offset;
  uint64_t size;
};

// No module of today's kernels has more: the symbols of amdgpu and their names take 3 MiB.
constexpr uint64_t kMostBytes = 32 << 20;
// In most files the section names come right before the headers: elf.ts peeks at both in one.
constexpr uint64_t kLead = 1024;

class Headers {
 public:
  Headers(const PackedImage& image) : bytes_(image.bytes()), wide_(bytes_[4] == 2), little_(bytes_[5] == 1) {}

  bool wide() const { return wide_; }
  uint64_t Number(uint64_t at, int size) const {
    uint64_t value = 0;
    for (int i = 0; i < size; i++) value |= static_cast<uint64_t>(bytes_[at + i]) << 8 * (little_ ? i : size - 1 - i);
    return value;
  }
  uint64_t Address(uint64_t at) const { return Number(at, wide_ ? 8 : 4); }

 private:
  const uint8_t* bytes_;
  bool wide_;
  bool little_;
};

// The ranges of the file that hold the ELF header, the section headers with what precedes them, and the named sections.
int FindParts(PackedImage* image, const std::vector<std::string>& names, std::vector<Part>* parts) {
  const uint64_t head = std::min<uint64_t>(64, image->size());
  int error = image->Need(0, head);
  if (error != 0) return error;
  if (head < 64 || memcmp(image->bytes(), "\x7f"
                                          "ELF",
                          4) != 0) {
    return -ENOTSUP;
  }
  const Headers headers(*image);
  const bool wide = headers.wide();
  const uint64_t table = headers.Address(wide ? 40 : 32);
  const uint64_t count = headers.Number(wide ? 60 : 48, 2);
  const uint64_t names_index = headers.Number(wide ? 62 : 50, 2);
  const uint64_t entry = wide ? 64 : 40;
  if (headers.Number(wide ? 58 : 46, 2) != entry || names_index >= count || table > image->size()) return -ENOTSUP;
  const uint64_t lead = std::min(table, kLead);
  error = image->Need(table - lead, lead + count * entry);
  if (error != 0) return error;
  parts->push_back({0, head});
  parts->push_back({table - lead, lead + count * entry});
  const auto section = [&](uint64_t i) {
    const uint64_t at = table + i * entry;
    return Part{headers.Address(at + (wide ? 24 : 16)), headers.Address(at + (wide ? 32 : 20))};
  };
  const Part strings = section(names_index);
  if (strings.size > kMostBytes) return -ENOTSUP;
  error = image->Need(strings.offset, strings.size);
  if (error != 0) return error;
  parts->push_back(strings);
  uint64_t total = strings.size;
  for (uint64_t i = 0; i < count; i++) {
    const uint64_t name = headers.Number(table + i * entry, 4);
    if (name >= strings.size) continue;
    const char* text = reinterpret_cast<const char*>(image->bytes() + strings.offset + name);
    const size_t length = strnlen(text, strings.size - name);
    const auto is_wanted = [&](const std::string& wanted) {
      return wanted.size() == length && memcmp(wanted.data(), text, length) == 0;
    };
    constexpr uint64_t kNoBits = 8;
    if (std::none_of(names.begin(), names.end(), is_wanted) || headers.Number(table + i * entry + 4, 4) == kNoBits) continue;
    const Part part = section(i);
    if (part.size > kMostBytes || (total += part.size) > kMostBytes) return -ENOTSUP;
    error = image->Need(part.offset, part.size);
    if (error != 0) return error;
    parts->push_back(part);
  }
  return 0;
}

// Merges parts that touch or nearly do: module-symbols.ts reads a symbol table and its strings in one.
int MergeParts(PackedImage* image, std::vector<Part>* parts) {
  constexpr uint64_t kGap = 4096;
  std::sort(parts->begin(), parts->end(), [](const Part& a, const Part& b) { return a.offset < b.offset; });
  std::vector<Part> merged;
  for (const Part& part : *parts) {
    if (merged.empty() || part.offset > merged.back().offset + merged.back().size + kGap) {
      merged.push_back(part);
      continue;
    }
    Part& last = merged.back();
    last.size = std::max(last.offset + last.size, part.offset + part.size) - last.offset;
    const int error = image->Need(last.offset, last.size);
    if (error != 0) return error;
  }
  *parts = std::move(merged);
  return 0;
}

// Images not in use: as many as there were files at a time.
class Pool {
 public:
  std::unique_ptr<PackedImage> Take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (free_.empty()) return std::make_unique<PackedImage>();
    std::unique_ptr<PackedImage> image = std::move(free_.back());
    free_.pop_back();
    return image;
  }
  void Return(std::unique_ptr<PackedImage> image) {
    image->Close();
    const std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(std::move(image));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<PackedImage>> free_;
};

// Never destroyed: a worker may still be running when the process ends.
Pool& Images() {
  static Pool* const pool = new Pool();
  return *pool;
}

class PartsWork : public Napi::AsyncWorker {
 public:
  PartsWork(const Napi::Function& done, bool is_xz, int fd, size_t size, size_t limit, std::vector<std::string> names,
            Napi::Uint8Array into)
      : AsyncWorker(done, "plugd module parts"),
        is_xz_(is_xz),
        fd_(fd),
        file_size_(size),
        limit_(limit),
        names_(std::move(names)),
        into_(Napi::Persistent(into.As<Napi::Object>())),
        into_bytes_(into.Data()),
        into_size_(into.ByteLength()) {}

  void Execute() override {
    std::unique_ptr<PackedImage> image = Images().Take();
    error_ = image->Open(is_xz_, fd_, file_size_, limit_);
    if (error_ == 0) error_ = FindParts(image.get(), names_, &parts_);
    if (error_ == 0) error_ = MergeParts(image.get(), &parts_);
    if (error_ == 0) {
      size_ = image->size();
      for (const Part& part : parts_) length_ += part.size;
      uint8_t* to = length_ <= into_size_ ? into_bytes_ : own_.Reserve(length_);
      if (to == nullptr) error_ = -ENOMEM;
      for (const Part& part : parts_) {
        if (error_ != 0) break;
        memcpy(to, image->bytes() + part.offset, part.size);
        to += part.size;
      }
    }
    Images().Return(std::move(image));
  }

  void OnOK() override {
    const Napi::HandleScope scope(Env());
    if (error_ != 0) {
      Callback().Call({Napi::Number::New(Env(), error_)});
      return;
    }
    Napi::Array parts = Napi::Array::New(Env(), parts_.size() * 2);
    for (uint32_t i = 0; i < parts_.size(); i++) {
      parts[i * 2] = Napi::Number::New(Env(), static_cast<double>(parts_[i].offset));
      parts[i * 2 + 1] = Napi::Number::New(Env(), static_cast<double>(parts_[i].size));
    }
    Napi::Object answer = Napi::Object::New(Env());
    answer["size"] = Napi::Number::New(Env(), static_cast<double>(size_));
    answer["parts"] = parts;
    if (length_ > into_size_) answer["bytes"] = Napi::Buffer<uint8_t>::Copy(Env(), own_.data(), length_);
    Callback().Call({answer});
  }

 private:
  bool is_xz_;
  int fd_;
  size_t file_size_;
  size_t limit_;
  std::vector<std::string> names_;
  std::vector<Part> parts_;
  Napi::ObjectReference into_;  // keeps its bytes where they are
  uint8_t* into_bytes_;
  size_t into_size_;
  Memory own_;
  size_t length_ = 0;
  uint64_t size_ = 0;
  int error_ = 0;
};

bool ReadNames(const Napi::Value& value, std::vector<std::string>* names) {
  if (!value.IsArray()) return false;
  const auto array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Value name = array[i];
    if (!name.IsString()) return false;
    names->push_back(Latin1(name));
  }
  return true;
}

bool IsBytes(const Napi::Value& value) {
  return value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array;
}

}  // namespace

Napi::Value ReadModulePartsAsync(const Napi::CallbackInfo& info) {
  const char* usage = "readModulePartsAsync('xz' or 'zstd', fd, size, limit, sections, into, done)";
  std::vector<std::string> names;
  if (info.Length() != 7 || !info[0].IsString() || !info[1].IsNumber() || !info[2].IsNumber() || !info[3].IsNumber() ||
      !ReadNames(info[4], &names) || !IsBytes(info[5]) || !info[6].IsFunction()) {
    return Misuse(info, usage);
  }
  const std::string format = Latin1(info[0]);
  const double size = info[2].As<Napi::Number>().DoubleValue();
  const double limit = info[3].As<Napi::Number>().DoubleValue();
  constexpr double kMost = 0x1p40;
  if ((format != "xz" && format != "zstd") || !(size >= 0 && size < kMost) || !(limit >= 0 && limit < kMost)) {
    return Misuse(info, usage);
  }
  // It deletes itself when it is done.
  auto* work = new PartsWork(info[6].As<Napi::Function>(), format == "xz", info[1].As<Napi::Number>().Int32Value(),
                             static_cast<size_t>(size), static_cast<size_t>(limit), std::move(names), info[5].As<Napi::Uint8Array>());
  work->Queue();
  return info.Env().Undefined();
}

}  // namespace plugd
