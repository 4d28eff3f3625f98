// Makes one shard from its inputs: reads, decodes and resizes in parallel, and writes in order.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "preprocess/image/memory_budget.h"
#include "preprocess/inputs/container_of_input.h"
#include "preprocess/inputs/sources.h"
#include "preprocess/pipeline/duplicates.h"
#include "preprocess/pipeline/plan.h"
#include "preprocess/pipeline/progress_folder.h"
#include "preprocess/pipeline/record.h"
#include "shard/shard_writer.h"

namespace gan::preprocess {

// Called for each input in order, from one thread at a time, with "accepted" or the reason of its rejection.
using Observe = std::function<void(std::string_view result)>;

// A shard with all records written, but not yet published.
class WrittenShard {
 public:
  WrittenShard(std::filesystem::path path, std::uint32_t number, std::uint32_t image_size);
  shard::ShardWriter& writer() { return *writer_; }
  ShardResult& result() { return result_; }
  // Publishes the shard durably under its name, and computes its digest. Waits for the disk, so it may run while the
  // next shard is made. Throws IoError.
  ShardResult Commit();

 private:
  std::filesystem::path path_;
  std::unique_ptr<shard::ShardWriter> writer_;
  ShardResult result_;
};

// Makes the folder's shards from ranges [begin, end) of `sources`. Shards may be made in any order, one at a time, but
// going back in an archive means reading it again.
class ShardMaker {
 public:
  // All arguments must outlive this object. `duplicates`: the result of FindDuplicates().
  ShardMaker(const PreprocessOptions& options, const SourceList& sources, const Place& place,
             const std::unordered_map<std::uint64_t, std::uint64_t>& duplicates);

  // Writes the records of shard `number`. Throws DataError with --strict on the first rejected input, IoError.
  WrittenShard Make(std::uint32_t number, std::uint64_t begin, std::uint64_t end, const Observe& observe);

 private:
  struct Input;
  std::shared_ptr<Input> Fetch(std::uint64_t number);
  void FetchMember(Input& input);
  void Process(Input& input) const;
  void Decode(Input& input) const;
  void Take(const Input& input, WrittenShard& shard, const Observe& observe) const;
  std::uint32_t LabelIndex(std::uint64_t input) const;

  const PreprocessOptions& options_;
  const SourceList& sources_;
  const Place& place_;
  const std::unordered_map<std::uint64_t, std::uint64_t>& duplicates_;
  std::map<std::string, std::uint32_t, std::less<>> labels_;
  std::optional<RecordIndex> records_before_;
  // Links in an archive point back, so a second reader for them keeps the first one going forward.
  ContainerOfInput container_, links_;
  mutable MemoryBudget budget_;
};

}  // namespace gan::preprocess
