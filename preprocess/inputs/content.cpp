#include "preprocess/inputs/content.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "preprocess/decode/formats.h"
#include "storage/errors.h"

namespace gan::preprocess {

namespace {

using namespace std::string_view_literals;

struct Content {
  std::string_view magic;  // '?' is any byte
  std::string_view name;
  std::size_t at = 0;
};

// The mark of a tar follows the name and the other properties of its first member.
constexpr std::array kArchives = {Content{"PK\3\4", "a .zip archive"}, Content{"PK\5\6", "an empty .zip archive"},
                                  Content{"7z\xBC\xAF\x27\x1C", "a .7z archive"}, Content{"ustar", "a tar", 257}};
// --in looks for pictures first, so RIFF does not mean WebP here, and ftyp does not mean AVIF.
constexpr std::array kOthers = {
    Content{"PAR1", "a Parquet file"},
    Content{"\x1F\x8B", "gzip-compressed data"},
    Content{"\xFD"
            "7zXZ\0"sv,
            "xz-compressed data"},
    Content{"BZh", "bzip2-compressed data"},
    Content{"\x28\xB5\x2F\xFD", "zstd-compressed data"},
    Content{"\x04\x22\x4D\x18", "LZ4-compressed data"},
    Content{"LZIP\1", "lzip-compressed data"},
    Content{"\x1F\x9D", "data compressed by `compress`"},
    Content{"\x5D\0\0"sv, "LZMA-compressed data"},
    Content{"\x89LZO\0\r\n\x1A\n"sv, "lzop-compressed data, which must be unpacked first"},
    Content{"LRZI\0"sv, "lrzip-compressed data, which must be unpacked first"},
    Content{"Rar!\x1A\x07", "a RAR archive, which must be unpacked first"},
    Content{"MSCF\0\0\0\0"sv, "a cabinet, which must be unpacked first"},
    Content{"xar!\0"sv, "an XAR archive, which must be unpacked first"},
    Content{"\x89HDF\r\n\x1A\n", "an HDF5 file"},
    Content{"SQLite format 3\0"sv, "an SQLite database"},
    Content{"ARROW1", "an Arrow file"},
    Content{"\xFF\xFF\xFF\xFF", "an Arrow stream"},
    Content{"\x93NUMPY", "a NumPy array"},
    Content{"\x7F"
            "ELF",
            "a program"},
    Content{"%PDF-", "a PDF document"},
    Content{"????ftyp", "a video or another ISO media file"},
    Content{"\x1A\x45\xDF\xA3", "a Matroska or WebM video"},
    Content{"RIFF", "a RIFF file"},
    Content{"OggS", "an Ogg file"},
    Content{"\x80\2", "a Python pickle"},
    Content{"\x80\3", "a Python pickle"},
    Content{"\x80\4", "a Python pickle"},
    Content{"\x80\5", "a Python pickle"},
    Content{"\xFF\xFE", "UTF-16 text, which must be saved as UTF-8"},
    Content{"\xFE\xFF", "UTF-16 text, which must be saved as UTF-8"},
};

FileBytes BytesOf(std::string_view text) { return std::as_bytes(std::span(text)); }

template <typename Table>
std::string_view Find(const Table& table, std::string_view head) {
  const auto found = std::find_if(table.begin(), table.end(), [&](const Content& content) {
    return head.size() > content.at && BeginsWith(BytesOf(head.substr(content.at)), content.magic);
  });
  return found == table.end() ? std::string_view() : found->name;
}

}  // namespace

std::string HeadOf(const std::filesystem::path& path) {
  int descriptor = -1;
  // Without O_NONBLOCK, opening a pipe would wait for a writer.
  do descriptor = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) throw IoError(path, "open", errno);
  std::string head(kRecognisedBytes, '\0');
  ssize_t n = -1;
  do n = ::read(descriptor, head.data(), head.size());
  while (n < 0 && errno == EINTR);
  const int error = errno;
  ::close(descriptor);
  if (n < 0) throw IoError(path, "read", error);
  head.resize(static_cast<std::size_t>(n));
  return head;
}

bool CanBeOpened(const std::filesystem::path& path) {
  try {
    HeadOf(path);
    return true;
  } catch (const IoError&) {
    return false;
  }
}

bool IsPictureContent(std::string_view head) { return Recognise(BytesOf(head)) != nullptr; }

bool IsArchiveContent(std::string_view head) { return !Find(kArchives, head).empty(); }

std::string_view NameOfContent(std::string_view head) {
  const std::string_view archive = Find(kArchives, head);
  return archive.empty() ? Find(kOthers, head) : archive;
}

std::size_t FindControlCharacter(std::string_view block) {
  const auto is_none_of_a_path = [](char c) {
    const auto value = static_cast<unsigned char>(c);
    return (value < 32 && c != '\0' && c != '\t' && c != '\n' && c != '\r') || value == 127;
  };
  const auto found = std::find_if(block.begin(), block.end(), is_none_of_a_path);
  return found == block.end() ? block.npos : static_cast<std::size_t>(found - block.begin());
}

}  // namespace gan::preprocess
