#include "preprocess/inputs/lmdb.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>

#include "preprocess/image/rejected.h"
#include "preprocess/inputs/content.h"
#include "preprocess/inputs/helper_process.h"
#include "preprocess/inputs/input_file.h"
#include "preprocess/inputs/lmdb_reader.h"
#include "storage/errors.h"

namespace gan::preprocess {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLongestKey = 511;         // LMDB's default limit
constexpr std::size_t kLongestError = 64 << 10;  // a sentence, which may name a path
constexpr std::uint64_t kMaxValueBytes = std::uint64_t{1} << 30;
constexpr std::size_t kLongestLabelValue = 256;
constexpr std::uint64_t kMostErrno = 4095;  // the kernel's own limit
constexpr int kMostSeconds = 600;           // for one block; a cold disk may take long

struct LmdbEntry {
  std::string key;
  std::uint64_t bytes = 0;
  std::vector<std::byte> value;  // the whole value, or its beginning
};

// The process was killed by others, which says nothing about the file.
class ReaderKilled : public std::runtime_error {
 public:
  ReaderKilled()
      : std::runtime_error(
            "the process that reads LMDB was killed (is there enough memory?); the same command goes on") {}
};

// An error of the system that may pass. Not ENOMEM: a damaged file may claim any size for its mapping.
bool MayPassInLmdb(std::uint64_t number) {
  return number != ENOMEM && number <= kMostErrno && MayPass(static_cast<int>(number));
}

// One LMDB file, read by its own process. Errors are IoError if they may pass, ReaderKilled, or std::runtime_error
// without the file's name.
class LmdbFile {
 public:
  explicit LmdbFile(const fs::path& file)
      : file_(file), process_({kLmdbReaderArgument, "the reading process", kMostSeconds, true}) {
    const std::string path = file.string();
    Send({LmdbRequest::Kind::kOpen, path.size()});
    if (!SendAll(process_.socket(), std::as_bytes(std::span(path)))) Crashed();
    Receive();
  }

  void ForEach(const std::function<void(const LmdbEntry&)>& take) {
    Send({LmdbRequest::Kind::kList, 0});
    while (const std::optional<LmdbEntry> entry = Receive()) take(*entry);
  }

  std::vector<std::byte> Read(std::uint32_t position) {
    Send({LmdbRequest::Kind::kRead, position});
    std::optional<LmdbEntry> entry = Receive();
    return entry ? std::move(entry->value) : std::vector<std::byte>();
  }

 private:
  void Send(const LmdbRequest& request) {
    if (!SendAll(process_.socket(), BytesOf(request))) Crashed();
  }

  // Empty: the request is done.
  std::optional<LmdbEntry> Receive() {
    LmdbAnswer answer;
    if (!ReceiveAll(process_.socket(), WritableBytesOf(answer))) Crashed();
    if (answer.kind == LmdbAnswer::Kind::kDone) return std::nullopt;
    const bool is_error = answer.kind == LmdbAnswer::Kind::kError;
    // The process reads a file that may be hostile, so its numbers are checked as well.
    if (is_error && answer.key_bytes > kLongestError) throw std::runtime_error("an error of over 64 KiB");
    if (!is_error && answer.key_bytes > kLongestKey) throw std::runtime_error("a key of over 511 bytes");
    LmdbEntry entry{std::string(answer.key_bytes, '\0'), answer.value_bytes, {}};
    if (!ReceiveAll(process_.socket(), std::as_writable_bytes(std::span(entry.key)))) Crashed();
    if (is_error && MayPassInLmdb(answer.value_bytes)) {
      throw IoError(file_, "read", static_cast<int>(answer.value_bytes));
    }
    if (is_error) throw std::runtime_error(entry.key);
    if (answer.sent_bytes > kMaxValueBytes) throw std::runtime_error("a value of over 1 GiB");
    entry.value.resize(answer.sent_bytes);
    if (!ReceiveAll(process_.socket(), entry.value)) Crashed();
    return entry;
  }

  [[noreturn]] void Crashed() {
    const HelperProcess::Ended ended = process_.End();
    if (ended.WasKilled()) throw ReaderKilled();
    const std::string how = ended.was_slow      ? "does not answer"
                            : ended.signal != 0 ? std::string("crashed (") + ::strsignal(ended.signal) + ")"
                                                : "gave up";
    throw std::runtime_error("the process that reads it " + how);
  }

  const fs::path file_;
  HelperProcess process_;
};

bool IsNoDamage(const std::runtime_error& error) {
  return dynamic_cast<const IoError*>(&error) != nullptr || dynamic_cast<const ReaderKilled*>(&error) != nullptr;
}

class LmdbPictures : public ContainerReader {
 public:
  explicit LmdbPictures(fs::path file) : file_(std::move(file)) {}

  Contents Read(std::uint32_t position, std::uint64_t bytes) override {
    std::vector<std::byte> value = Value(position);
    if (value.size() != bytes) throw Rejected(Reason::kUnreadable, "the file has changed since it was listed");
    return {.bytes = std::move(value)};
  }

 private:
  std::vector<std::byte> Value(std::uint32_t position) {
    for (int tries = 1;; ++tries) {
      try {
        return Try(position);
      } catch (const ReaderKilled&) {
        if (tries == HelperProcess::kTries) throw;
      }
    }
  }

  std::vector<std::byte> Try(std::uint32_t position) {
    try {
      if (!process_) process_.emplace(file_);
      return process_->Read(position);
    } catch (const std::runtime_error& error) {
      // The next picture gets a new process. Positions do not depend on the process.
      process_.reset();
      if (IsNoDamage(error)) throw;
      throw Rejected(Reason::kCorrupt, std::string("the LMDB file is damaged here: ") + error.what());
    }
  }

  const fs::path file_;
  std::optional<LmdbFile> process_;
};

std::string NameOfKey(const std::string& key) {
  const auto is_plain = [](unsigned char c) { return c > 32 && c < 127; };
  if (!key.empty() && std::all_of(key.begin(), key.end(), is_plain)) return key;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string name = "0x";
  for (const unsigned char c : key) name.append(1, kDigits[c >> 4]).append(1, kDigits[c & 15]);
  return name;
}

// "image-000000001" -> "label-000000001"
std::string LabelKeyOf(std::string_view picture) {
  std::string key(picture);
  const std::size_t at = key.find("image");
  return at == std::string::npos ? "" : key.replace(at, 5, "label");
}

class LmdbListing {
 public:
  LmdbListing(bool is_labelled, SourceList& found) : is_labelled_(is_labelled), found_(found), first_(found.size()) {}

  void Take(const LmdbEntry& entry) {
    const std::string name = NameOfKey(entry.key);
    const std::string_view head(reinterpret_cast<const char*>(entry.value.data()), entry.value.size());
    const std::uint32_t position = position_++;
    if (IsPictureContent(head)) return found_.Add(name, entry.bytes, position);
    // The listing sends only the beginning of each value, so a label must fit into it.
    if (is_labelled_ && name.starts_with("label") && head.size() == entry.bytes && head.size() <= kLongestLabelValue) {
      labels_.emplace(name, head);
    }
    found_.left_out().Count("value that is no picture", name);
  }

  void Label() {
    // Applied at the end, because "label-…" comes after "image-…" in the order of the keys.
    if (labels_.empty()) return;
    found_.KnowLabels();
    for (std::uint64_t i = first_; i < found_.size(); ++i) {
      const auto label = labels_.find(LabelKeyOf(found_.Name(i)));
      if (label != labels_.end()) found_.SetClass(i, label->second);
    }
  }

 private:
  const bool is_labelled_;
  SourceList& found_;
  const std::uint64_t first_;
  std::uint32_t position_ = 0;
  std::unordered_map<std::string, std::string> labels_;
};

}  // namespace

void BecomeLmdbReaderWhenAsked(int argc, char** argv) {
  if (argc != 2 || std::strcmp(argv[1], kLmdbReaderArgument) != 0) return;
  ServeLmdb(HelperProcess::kSocket);
  // Ends without the destructors of statics, because this process has finished its only task.
  ::_exit(0);
}

// A page's header of 16 bytes, then the magic number of a meta page.
bool IsLmdb(std::string_view head) { return head.size() > 20 && head.substr(16, 4) == "\xDE\xC0\xEF\xBE"; }

void AddLmdb(const fs::path& file, const LabelOptions& labels, SourceList& found) {
  const fs::path root = file.filename() == "data.mdb" ? file.parent_path() : file;
  found.BeginContainer(root, [file] { return std::make_unique<LmdbPictures>(file); });
  found.SetFile(file);
  LmdbListing listing(labels.mode == LabelMode::kAuto, found);
  try {
    LmdbFile(file).ForEach([&](const LmdbEntry& entry) { listing.Take(entry); });
  } catch (const std::runtime_error& error) {
    if (IsNoDamage(error)) throw;
    throw DataError(file, std::string("is no sound LMDB database: ") + error.what());
  }
  listing.Label();
}

}  // namespace gan::preprocess
