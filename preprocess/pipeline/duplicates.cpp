#include "preprocess/pipeline/duplicates.h"

#include <oneapi/tbb/parallel_for.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <sstream>
#include <tuple>
#include <vector>

#include "preprocess/inputs/container_of_input.h"
#include "shard/shard_format.h"
#include "storage/checksum.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::preprocess {

namespace {

using Hash = std::array<char, 32>;  // hexadecimal; all zero: the input could not be read

// Without pointers, because there may be millions of candidates, and they are sorted twice.
struct Candidate {
  std::uint64_t bytes = 0;
  std::uint64_t input = 0;
  Hash hash{};
};

Hash HashOf(std::span<const std::byte> bytes) {
  const std::string text = storage::DigestOf(bytes);
  Hash hash{};
  // The text begins with the name of the digest.
  std::copy_n(text.end() - static_cast<std::ptrdiff_t>(hash.size()), hash.size(), hash.begin());
  return hash;
}

// The inputs that have, or may have, the same size as another one, in the order of inputs.
std::vector<Candidate> SameSizes(const SourceList& sources) {
  std::vector<Candidate> all;
  bool knows_sizes = true;
  for (std::uint64_t i = 0; i < sources.size(); ++i) {
    if (sources.WhyRejected(i) != nullptr) continue;
    all.push_back({.bytes = sources.Bytes(i), .input = i, .hash = {}});
    knows_sizes = knows_sizes && sources.KnowsBytes(i);
  }
  // A size that is unknown may equal any other, so all inputs have to be read.
  if (!knows_sizes) return all;
  const auto by_size = [](const Candidate& a, const Candidate& b) {
    return std::tie(a.bytes, a.input) < std::tie(b.bytes, b.input);
  };
  std::sort(all.begin(), all.end(), by_size);
  std::vector<Candidate> found;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool before = i > 0 && all[i - 1].bytes == all[i].bytes;
    const bool after = i + 1 < all.size() && all[i + 1].bytes == all[i].bytes;
    if (before || after) found.push_back(all[i]);
  }
  std::sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) { return a.input < b.input; });
  return found;
}

Hash HashOfFile(const std::filesystem::path& path) {
  try {
    const storage::MappedFile file(path);
    const Hash hash = HashOf(file.bytes());
    file.RequireRead();
    return hash;
  } catch (const IoError&) {  // it will be rejected when it is read again
  } catch (const DataError&) {
  }
  return {};
}

Hash HashOfMember(const SourceList& sources, std::uint64_t input, ContainerOfInput& container) {
  try {
    return HashOf(container.Read(sources, input).bytes);
  } catch (const Rejected&) {  // it will be rejected when it is read again
  } catch (const IoError&) {
  }
  return {};
}

// Hashes the share of this rank: every size()-th candidate. Files are read in parallel. The pictures of containers are
// read one after another, because a container is cheap to read forwards only.
void HashMine(const SourceList& sources, const Ranks& ranks, std::vector<Candidate>& candidates) {
  const auto step = static_cast<std::size_t>(ranks.size());
  const auto first = static_cast<std::size_t>(ranks.rank());
  const std::size_t mine = candidates.size() <= first ? 0 : (candidates.size() - first - 1) / step + 1;
  tbb::parallel_for(std::size_t{0}, mine, [&](std::size_t k) {
    Candidate& candidate = candidates[first + k * step];
    if (!sources.InContainer(candidate.input)) candidate.hash = HashOfFile(sources.Path(candidate.input));
  });
  ContainerOfInput container;
  for (std::size_t k = first; k < candidates.size(); k += step) {
    if (sources.InContainer(candidates[k].input)) {
      candidates[k].hash = HashOfMember(sources, candidates[k].input, container);
    }
  }
}

void Share(const Ranks& ranks, std::vector<Candidate>& candidates) {
  if (ranks.size() == 1) return;
  const auto step = static_cast<std::size_t>(ranks.size());
  std::string mine;
  for (std::size_t k = static_cast<std::size_t>(ranks.rank()); k < candidates.size(); k += step) {
    mine.append(candidates[k].hash.data(), candidates[k].hash.size());
  }
  std::string all;
  for (const std::string& part : ranks.Gather(mine)) all += part;
  all = ranks.Broadcast(std::move(all));
  std::size_t at = 0;
  // The texts are in the order of the ranks, and each has every `step`-th candidate.
  for (std::size_t rank = 0; rank < step; ++rank) {
    for (std::size_t k = rank; k < candidates.size(); k += step, at += sizeof(Hash)) {
      std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(at), sizeof(Hash), candidates[k].hash.begin());
    }
  }
}

}  // namespace

Duplicates FindDuplicates(const SourceList& sources, const Ranks& ranks) {
  std::vector<Candidate> candidates = SameSizes(sources);
  HashMine(sources, ranks, candidates);
  Share(ranks, candidates);
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.hash, a.input) < std::tie(b.hash, b.input);
  });
  Duplicates found;
  const Candidate* first = nullptr;
  for (const Candidate& candidate : candidates) {
    const bool same = first != nullptr && candidate.hash != Hash{} && first->hash == candidate.hash;
    if (same) found.emplace(candidate.input, first->input);
    if (!same) first = &candidate;
  }
  return found;
}

std::string SameBytesAs(const SourceList& sources, std::uint64_t first) {
  return "same bytes as " + sources.RecordName(first);
}

bool HasDuplicates(const ShardResult& shard, const Duplicates& duplicates, const SourceList& sources,
                   const std::pair<std::uint64_t, std::uint64_t>& range) {
  if (duplicates.empty()) return true;
  std::set<std::pair<std::string, std::string>> listed;
  for (const QuarantineEntry& entry : shard.quarantine) listed.emplace(entry.path, entry.detail);
  for (std::uint64_t input = range.first; input < range.second; ++input) {
    const auto found = duplicates.find(input);
    if (found == duplicates.end()) continue;
    // The texts of a note have passed through JSON.
    const std::string name = PathText(sources.RecordName(input)), why = PathText(SameBytesAs(sources, found->second));
    if (!listed.contains({name, why})) return false;
  }
  return true;
}

RecordIndex::RecordIndex(const std::filesystem::path& folder, const shard::Manifest& manifest) {
  for (const shard::ShardEntry& entry : manifest.shards) {
    const shard::ShardReader& reader = shards_.emplace_back(shard::ShardFileName(folder, entry.number));
    for (std::uint32_t i = 0; i < reader.size(); ++i)
      places_.emplace(reader.RecordCrc32c(i), std::pair(entry.number, i));
  }
}

std::optional<std::string> RecordIndex::Find(std::span<const std::byte> record) const {
  // CRC32C only narrows the search: records count as the same when all of their bytes are equal.
  const auto [begin, end] = places_.equal_range(storage::Crc32c(record));
  std::optional<std::pair<std::uint32_t, std::uint32_t>> first;
  for (auto at = begin; at != end; ++at) {
    const auto there = shards_[at->second.first].Record(at->second.second);
    if (std::equal(record.begin(), record.end(), there.begin(), there.end())) {
      first = first ? std::min(*first, at->second) : at->second;
    }
  }
  // A record that can no longer be read is unequal to every other one.
  for (auto at = begin; at != end; ++at) shards_[at->second.first].RequireRead();
  if (!first) return std::nullopt;
  return shards_[first->first].Info(first->second).source;
}

}  // namespace gan::preprocess
