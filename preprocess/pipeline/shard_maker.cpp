#include "preprocess/pipeline/shard_maker.h"

#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <new>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "preprocess/inputs/input_file.h"
#include "preprocess/pipeline/channel_sums.h"
#include "shard/file_digest.h"
#include "shard/shard_format.h"
#include "storage/errors.h"

namespace gan::preprocess {

namespace fs = std::filesystem;

namespace {

// Memory besides the budget (the program, the list of inputs, unwritten records) stays under 40 MB.
constexpr std::uint64_t kBudgetBytesPerThread = std::uint64_t{80} << 20;

// How many pictures are processed at the same time. They are written in order, so while a large one is decoded, the
// other threads need more pictures to work on. Only finished records wait behind it, but these may be large as well.
std::size_t InFlight(std::size_t threads, std::uint32_t size) {
  constexpr std::uint64_t kWaitingBytesPerThread = std::uint64_t{8} << 20;
  return threads * std::clamp<std::uint64_t>(kWaitingBytesPerThread / shard::RecordBytes(size), 2, 32);
}

std::size_t Threads() { return static_cast<std::size_t>(tbb::this_task_arena::max_concurrency()); }

}  // namespace

// One input on its way through the pipeline.
struct ShardMaker::Input {
  explicit Input(MemoryBudget& budget) : lease(budget) {}
  std::uint64_t number = 0;
  std::uint64_t bytes_read = 0;
  MemoryLease lease;  // held from reading the contents to the finished record
  Contents contents;  // of a picture in a container, until it is decoded
  std::variant<std::monostate, Rejected, Record> result;
  ChannelSums sums;
};

WrittenShard::WrittenShard(fs::path path, std::uint32_t number, std::uint32_t image_size)
    : path_(std::move(path)), writer_(std::make_unique<shard::ShardWriter>(path_, number, image_size)) {
  result_.entry.number = number;
}

ShardResult WrittenShard::Commit() {
  result_.entry.records = writer_->size();
  writer_->Commit();
  writer_.reset();
  shard::FileDigest file = shard::DigestOfFile(path_);
  result_.entry.bytes = file.bytes;
  result_.entry.digest = std::move(file.digest);
  return std::move(result_);
}

ShardMaker::ShardMaker(const PreprocessOptions& options, const SourceList& sources, const Place& place,
                       const std::unordered_map<std::uint64_t, std::uint64_t>& duplicates)
    : options_(options),
      sources_(sources),
      place_(place),
      duplicates_(duplicates),
      budget_(kBudgetBytesPerThread * Threads()) {
  for (std::uint32_t i = 0; i < place.labels.size(); ++i) labels_.emplace(place.labels[i], i);
  if (options.dedupe && place.before) records_before_.emplace(options.output, *place.before);
}

WrittenShard ShardMaker::Make(std::uint32_t number, std::uint64_t begin, std::uint64_t end, const Observe& observe) {
  WrittenShard shard(shard::ShardFileName(options_.output, number), number, options_.size);
  using Item = std::shared_ptr<Input>;
  std::uint64_t next = begin;
  const auto fetch = [&](tbb::flow_control& flow) -> Item {
    if (next < end) return Fetch(next++);
    flow.stop();
    return nullptr;
  };
  const auto process = [&](const Item& input) {
    Process(*input);
    return input;
  };
  const auto take = [&](const Item& input) { Take(*input, shard, observe); };
  // Inputs are fetched and records written in order, and only the middle stage runs in parallel. So the bytes of a
  // shard do not depend on the number of threads.
  tbb::parallel_pipeline(InFlight(Threads(), options_.size),
                         tbb::make_filter<void, Item>(tbb::filter_mode::serial_in_order, fetch) &
                             tbb::make_filter<Item, Item>(tbb::filter_mode::parallel, process) &
                             tbb::make_filter<Item, void>(tbb::filter_mode::serial_in_order, take));
  return shard;
}

// The stage that runs in order, because an archive is read from front to back. A thread that has fetched an input
// continues with it, so a thread that waits here for memory waits only for working threads.
std::shared_ptr<ShardMaker::Input> ShardMaker::Fetch(std::uint64_t number) {
  auto input = std::make_shared<Input>(budget_);
  input->number = number;
  if (const Rejected* why = sources_.WhyRejected(number)) {
    input->result = *why;
  } else if (const auto first = duplicates_.find(number); first != duplicates_.end()) {
    input->result = Rejected(Reason::kDuplicate, SameBytesAs(sources_, first->second));
  } else if (sources_.InContainer(number)) {
    FetchMember(*input);
  }
  return input;
}

void ShardMaker::FetchMember(Input& input) {
  ContainerOfInput& container = sources_.IsLink(input.number) ? links_ : container_;
  try {
    // Reserved before the bytes are read. The decoder's memory is added later (Decode).
    input.lease.Reserve(sources_.Bytes(input.number));
    input.contents = container.Read(sources_, input.number);
  } catch (const Rejected& rejected) {
    input.result = rejected;
  } catch (const IoError& error) {
    input.result = Rejected::ForNow(error.what());
  }
}

void ShardMaker::Decode(Input& input) const {
  RecordOptions record{options_.size, options_.filter, options_.crop, options_.mode, options_.decode};
  record.decode.room = &input.lease;
  const auto keep = [&](Record made) {
    input.sums = SumsOf(made.picture.pixels);
    input.result = std::move(made);
  };
  const auto make = [&](std::span<const std::byte> bytes) {
    input.bytes_read = bytes.size();
    keep(MakeRecord(bytes, record));
  };
  const Contents& contents = input.contents;
  if (contents.ArePixels()) {
    input.bytes_read = contents.bytes.size();
    return keep(MakeRecordOfPixels(contents, record));
  }
  if (sources_.InContainer(input.number)) return make(contents.bytes);
  const InputFile file(sources_.Path(input.number));
  try {
    make(file.bytes());
  } catch (const Rejected&) {
    file.RequireRead();  // a picture that could not be read is not a damaged one
    throw;
  }
  file.RequireRead();
}

void ShardMaker::Process(Input& input) const {
  if (std::holds_alternative<Rejected>(input.result)) return;
  try {
    Decode(input);
  } catch (const Rejected& rejected) {
    input.result = rejected;
  } catch (const IoError& error) {
    input.result =
        MayPass(error.error_number()) ? Rejected::ForNow(error.what()) : Rejected(Reason::kUnreadable, error.what());
  } catch (const DataError& error) {
    input.result = Rejected(Reason::kUnreadable, error.what());
  } catch (const std::bad_alloc&) {
    input.result = Rejected(Reason::kTooLarge, "not enough memory for it");
  }
  // The record may wait behind slower pictures, so its contents are freed at once.
  input.contents = {};
  input.lease.Reserve(0);
}

void ShardMaker::Take(const Input& input, WrittenShard& shard, const Observe& observe) const {
  ShardResult& result = shard.result();
  result.bytes_read += input.bytes_read;
  const std::string name = sources_.RecordName(input.number);
  const auto reject = [&](const Rejected& why) {
    // --dedupe is meant to find duplicates, so a duplicate is not an error of the inputs.
    if (options_.strict && why.reason() != Reason::kDuplicate) {
      const std::string member = sources_.InContainer(input.number) ? name + ": " : "";
      throw DataError(sources_.Path(input.number), member + why.what() + " (" + std::string(Name(why.reason())) + ")");
    }
    result.quarantine.push_back({name, std::string(Name(why.reason())), why.what()});
    if (why.for_now()) result.left_to_try.push_back(input.number);
    if (why.for_now()) result.quarantine.back().for_now = true;
    observe(Name(why.reason()));
  };
  if (const auto* rejected = std::get_if<Rejected>(&input.result)) return reject(*rejected);
  const Record& made = std::get<Record>(input.result);
  const auto record = std::as_bytes(std::span(made.picture.pixels));
  if (records_before_) {
    const std::optional<std::string> same = records_before_->Find(record);
    if (same) return reject(Rejected(Reason::kDuplicate, "same record as " + *same));
  }
  result.sums.Add(input.sums);
  result.decoders.try_emplace(made.format, made.library);
  const std::uint32_t label = LabelIndex(input.number);
  if (!labels_.empty()) ++result.label_counts[label];
  shard.writer().Append(record,
                        {.crc32c = 0, .label = label, .input = place_.first_input + input.number, .source = name});
  observe("accepted");
}

std::uint32_t ShardMaker::LabelIndex(std::uint64_t input) const {
  return labels_.empty() ? 0 : labels_.find(sources_.Label(input))->second;
}

}  // namespace gan::preprocess
