// One shard out of its inputs: read, decode and resize in parallel, write in their order.
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

// Called for each input in order, from one thread at a time, with "accepted" or the reason why not.
using Observe = std::function<void(std::string_view result)>;

// A shard all of whose records are written, but not yet to stay.
class WrittenShard {
 public:
  WrittenShard(std::filesystem::path path, std::uint32_t number, std::uint32_t image_size);
  shard::ShardWriter& writer() { return *writer_; }
  ShardResult& result() { return result_; }
  // Makes it last, under its name, and digests it. Waits for the disk, so it may run beside the making of the next one.
  // Throws IoError.
  ShardResult Commit();

 private:
  std::filesystem::path path_;
  std::unique_ptr<shard::ShardWriter> writer_;
  ShardResult result_;
};

// The folder's shard of inputs [begin, end) of `sources`. Shards may be made in any order, one at a time; all but
// forward through an archive costs reading it again.
class ShardMaker {
 public:
  // All are to outlive this. `duplicates`: what FindDuplicates() found.
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
  // Links in an archive point back: a reader of their own keeps the other one going forward.
  ContainerOfInput container_, links_;
  mutable MemoryBudget budget_;
};

}  // namespace gan::preprocess
