#include "preprocess/inputs/content_sample.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <span>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include "preprocess/inputs/byte_source.h"
#include "storage/checksum.h"
#include "storage/errors.h"

namespace gan::preprocess {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kNotKnown = "-";
constexpr std::uint64_t kSampleBlock = std::uint64_t{16} << 10;
constexpr std::uint64_t kMostBlocks = 16, kFewestBlocks = 2;  // of one file
constexpr std::uint64_t kBlocksOfAll = 1024;                  // of all containers, unless there are over 512
constexpr std::uint64_t kSampledFiles = 8;
constexpr std::size_t kContainerDigits = 16, kFileDigits = 8;

using InputRange = std::pair<std::uint64_t, std::uint64_t>;

// The first and the last block of a file and others evenly between them, or all of a small file. False when it cannot
// be read.
bool AddBlocks(const fs::path& path, std::uint64_t blocks, storage::Digest& digest) {
  std::error_code error;
  // Opening a pipe would wait for a writer.
  if (!fs::is_regular_file(path, error)) return false;
  const std::uint64_t size = fs::file_size(path, error);
  if (error) return false;
  const bool whole = size <= blocks * kSampleBlock;
  ByteSource file({.file = path});
  std::vector<std::byte> room(kSampleBlock);
  try {
    for (std::uint64_t i = 0; i < blocks; ++i) {
      const std::uint64_t offset = whole ? i * kSampleBlock : (size - kSampleBlock) * i / (blocks - 1);
      digest.Update(std::span(room).first(file.ReadAt(offset, room)));
    }
  } catch (const IoError&) {
    return false;
  }
  return true;
}

std::string LastDigits(const storage::Digest& digest, std::size_t count) {
  const std::string text = digest.Text();
  return text.substr(text.size() - count);
}

std::string WordOfContainers(const SourceList& sources, const std::vector<InputRange>& containers) {
  if (containers.empty()) return std::string(kNotKnown);
  const std::uint64_t blocks = std::clamp<std::uint64_t>(kBlocksOfAll / containers.size(), kFewestBlocks, kMostBlocks);
  storage::Digest digest;
  for (const InputRange& container : containers) {
    if (!AddBlocks(sources.Path(container.first), blocks, digest)) return std::string(kNotKnown);
  }
  // A member that was replaced may lie between the blocks, but it seldom has the old one's time.
  const std::uint64_t times = sources.times();
  digest.Update(std::as_bytes(std::span(&times, 1)));
  return LastDigits(digest, kContainerDigits);
}

std::string WordOfFile(const SourceList& sources, std::uint64_t input) {
  storage::Digest digest;
  const bool is_read = sources.WhyRejected(input) == nullptr && AddBlocks(sources.Path(input), kFewestBlocks, digest);
  return is_read ? LastDigits(digest, kFileDigits) : std::string(kNotKnown);
}

// Input number `place` of those in the ranges.
std::uint64_t InputAt(const std::vector<InputRange>& ranges, std::uint64_t place) {
  auto range = ranges.begin();
  for (; place >= range->second - range->first; ++range) place -= range->second - range->first;
  return range->first + place;
}

std::vector<std::string> SampleWords(std::string_view sample) {
  std::istringstream text{std::string(sample)};
  std::vector<std::string> words;
  for (std::string word; text >> word;) words.push_back(std::move(word));
  return words;
}

}  // namespace

std::string SampleOf(const SourceList& sources) {
  std::vector<InputRange> containers, others;
  std::uint64_t files = 0;
  for (std::uint64_t begin = 0, end = 0; begin < sources.size(); begin = end) {
    end = sources.EndOfOrigin(begin);
    (sources.InContainer(begin) ? containers : others).emplace_back(begin, end);
    if (!sources.InContainer(begin)) files += end - begin;
  }
  std::string sample = WordOfContainers(sources, containers);
  const std::uint64_t taken = std::min(kSampledFiles, files);
  for (std::uint64_t i = 0; i < taken; ++i) {
    const std::uint64_t place = taken < 2 ? 0 : (files - 1) * i / (taken - 1);
    sample += " " + WordOfFile(sources, InputAt(others, place));
  }
  return sample;
}

bool SamplesAgree(std::string_view one, std::string_view other) {
  const std::vector<std::string> a = SampleWords(one), b = SampleWords(other);
  std::size_t same = 0, different = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i] == kNotKnown || b[i] == kNotKnown) continue;
    const bool is_of_containers = i == 0;
    if (is_of_containers && a[i] != b[i]) return false;
    if (!is_of_containers) ++(a[i] == b[i] ? same : different);
  }
  // A single file may have been repaired.
  return different <= same;
}

std::string Completed(const std::string& sample, const std::string& other) {
  std::vector<std::string> words = SampleWords(sample);
  const std::vector<std::string> known = SampleWords(other);
  std::string completed;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == kNotKnown && i < known.size()) words[i] = known[i];
    completed += (i == 0 ? "" : " ") + words[i];
  }
  return completed;
}

}  // namespace gan::preprocess
