#include "preprocess/shard_maker.h"

#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/task_arena.h>

#include <new>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "shard/shard_format.h"
#include "storage/checksum.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::preprocess {

namespace fs = std::filesystem;

// One input on its way.
struct ShardMaker::Input {
  std::uint64_t number = 0;
  std::uint64_t bytes_read = 0;
  std::vector<std::byte> contents;  // of an archive's member, until it is decoded
  std::variant<std::monostate, Rejected, Rgb8> result;
};

ShardMaker::ShardMaker(const PreprocessOptions& options, const SourceList& sources, const Place& place,
                       const std::unordered_map<std::uint64_t, std::uint64_t>& duplicates)
    : options_(options), sources_(sources), place_(place), duplicates_(duplicates) {
  for (std::uint32_t i = 0; i < place.labels.size(); ++i) labels_.emplace(place.labels[i], i);
  if (options.dedupe && place.before) records_before_.emplace(options.output, *place.before);
}

// At most two pictures a thread are in flight.
ShardResult ShardMaker::Make(std::uint32_t number, std::uint64_t begin, std::uint64_t end, const Observe& observe) {
  ShardResult result;
  result.entry.number = number;
  const fs::path path = shard::ShardFileName(options_.output, number);
  shard::ShardWriter writer(path, number, options_.size);
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
  const auto take = [&](const Item& input) { Take(*input, writer, result, observe); };
  const auto threads = static_cast<std::size_t>(tbb::this_task_arena::max_concurrency());
  tbb::parallel_pipeline(2 * threads, tbb::make_filter<void, Item>(tbb::filter_mode::serial_in_order, fetch) &
                                          tbb::make_filter<Item, Item>(tbb::filter_mode::parallel, process) &
                                          tbb::make_filter<Item, void>(tbb::filter_mode::serial_in_order, take));
  result.entry.records = writer.size();
  writer.Commit();
  const storage::MappedFile file(path);
  result.entry.bytes = file.bytes().size();
  result.entry.digest = storage::DigestOf(file.bytes());
  return result;
}

// What must happen in order: an archive is read from front to back.
std::shared_ptr<ShardMaker::Input> ShardMaker::Fetch(std::uint64_t number) {
  auto input = std::make_shared<Input>();
  input->number = number;
  if (const Rejected* why = sources_.WhyRejected(number)) {
    input->result = *why;
  } else if (const auto first = duplicates_.find(number); first != duplicates_.end()) {
    input->result = Rejected(Reason::kDuplicate, "same bytes as " + std::string(sources_.Name(first->second)));
  } else if (sources_.InArchive(number)) {
    const fs::path path = sources_.Path(number);
    if (!archive_ || archive_->path() != path) archive_.emplace(path);
    try {
      input->contents = archive_->Read(sources_.Position(number), sources_.Bytes(number));
    } catch (const Rejected& rejected) {
      input->result = rejected;
    }
  }
  return input;
}

void ShardMaker::Process(Input& input) const {
  if (std::holds_alternative<Rejected>(input.result)) return;
  const RecordOptions record{options_.size, options_.filter, options_.mode, options_.decode};
  try {
    if (sources_.InArchive(input.number)) {
      const std::vector<std::byte> contents = std::exchange(input.contents, {});
      input.bytes_read = contents.size();
      input.result = MakeRecord(contents, record);
    } else {
      const storage::MappedFile file(sources_.Path(input.number));
      input.bytes_read = file.bytes().size();
      input.result = MakeRecord(file.bytes(), record);
    }
  } catch (const Rejected& rejected) {
    input.result = rejected;
  } catch (const IoError& error) {
    input.result = Rejected(Reason::kUnreadable, error.what());
  } catch (const DataError& error) {
    input.result = Rejected(Reason::kUnreadable, error.what());
  } catch (const std::bad_alloc&) {
    input.result = Rejected(Reason::kTooLarge, "not enough memory for it");
  }
}

void ShardMaker::Take(const Input& input, shard::ShardWriter& writer, ShardResult& result,
                      const Observe& observe) const {
  result.bytes_read += input.bytes_read;
  const std::string name(sources_.Name(input.number));
  const auto reject = [&](const Rejected& why) {
    if (options_.strict && why.reason() != Reason::kDuplicate) {
      throw DataError(sources_.Path(input.number),
                      name + ": " + why.what() + " (" + std::string(Name(why.reason())) + ")");
    }
    result.quarantine.push_back({name, std::string(Name(why.reason())), why.what()});
    observe(Name(why.reason()));
  };
  if (const auto* rejected = std::get_if<Rejected>(&input.result)) return reject(*rejected);
  const auto& pixels = std::get<Rgb8>(input.result).pixels;
  const auto record = std::as_bytes(std::span(pixels));
  if (records_before_) {
    const std::optional<std::string> same = records_before_->Find(record);
    if (same) return reject(Rejected(Reason::kDuplicate, "same record as " + *same));
  }
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    result.sum[i % 3] += pixels[i];
    result.sum_squares[i % 3] += std::uint64_t{pixels[i]} * pixels[i];
  }
  writer.Append(
      record,
      {.crc32c = 0, .label = LabelIndex(input.number), .input = place_.first_input + input.number, .source = name});
  observe("accepted");
}

std::uint32_t ShardMaker::LabelIndex(std::uint64_t input) const {
  return labels_.empty() ? 0 : labels_.find(sources_.Label(input))->second;
}

}  // namespace gan::preprocess
