#include "monitoring/page/run_stats.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "storage/parse_json.h"

namespace gan::monitoring {
namespace {

using Json = nlohmann::json;

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();
// Longer than any line that the trainer writes.
constexpr std::uint64_t kBlock = std::uint64_t{1} << 20;
constexpr std::size_t kTail =
    256;  // enough bytes to distinguish a line from another one at the same position after a rollback

class File {
 public:
  explicit File(const std::filesystem::path& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // At most `most` bytes from `offset`. An error gives an empty text, as if the file had ended.
  std::string Read(std::uint64_t offset, std::uint64_t most) const {
    std::string bytes(most, '\0');
    const ssize_t got = ::pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return bytes;
  }

 private:
  int descriptor_;
};

// Removes the older half at once, so that a full list does not move all elements for each new one.
template <class Event>
void Keep(std::vector<Event>& events, Event event, std::size_t most) {
  if (events.size() == most) events.erase(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(most / 2));
  events.push_back(std::move(event));
}

}  // namespace

bool RunStats::Update(std::uint64_t most_bytes) {
  StartAgainIfReplaced();
  const File file(file_);
  for (std::uint64_t read = 0; offset_ < size_ && read < most_bytes;) {
    const std::string block = file.Read(offset_, std::min(kBlock, size_ - offset_));
    const std::size_t end = block.rfind('\n');
    if (end == std::string::npos) {
      if (block.size() < kBlock) return true;  // the last line is incomplete
      offset_ += block.size();                 // longer than any line of ours: skipped
      tail_.clear();
      ++bad_lines_;
      continue;
    }
    ReadLines(std::string_view(block).substr(0, end + 1));
    // Kept to notice a replaced file at the next call.
    tail_ = block.substr(0, end + 1);
    if (tail_.size() > kTail) tail_.erase(0, tail_.size() - kTail);
    offset_ += end + 1;
    read += end + 1;
  }
  return offset_ >= size_;
}

void RunStats::StartAgainIfReplaced() {
  struct stat found {};
  const bool is_there = ::lstat(file_.c_str(), &found) == 0 && S_ISREG(found.st_mode);
  const std::uint64_t size = is_there ? static_cast<std::uint64_t>(found.st_size) : 0;
  // A rollback truncates the file, which may have grown beyond `offset_` again since the last call. So the bytes before
  // `offset_` are compared as well.
  const bool changed =
      is_there && size >= offset_ && !tail_.empty() && File(file_).Read(offset_ - tail_.size(), tail_.size()) != tail_;
  if (size < offset_ || changed || (is_there && found.st_ino != inode_)) *this = RunStats(file_);
  inode_ = is_there ? found.st_ino : 0;
  size_ = size;
}

void RunStats::ReadLines(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    ReadLine(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
}

// Steps must ascend: a line of an older step belongs to a branch that a rollback has discarded.
void RunStats::ReadLine(std::string_view line) {
  const Json record = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  const auto step = record.is_object() ? record.find("step") : record.end();
  if (!record.is_object() || step == record.end() || !step->is_number_unsigned() ||
      (lines_ > 0 && step->get<std::uint64_t>() <= last_step_)) {
    ++bad_lines_;
    return;
  }
  ++lines_;
  last_step_ = step->get<std::uint64_t>();
  last_line_ = line;
  std::vector<std::pair<std::string_view, double>> values;
  for (const auto& [name, value] : record.items()) {
    if (value.is_number() && name != "step") values.emplace_back(name, value.get<double>());
    if (value.is_boolean()) values.emplace_back(name, value.get<bool>() ? 1 : 0);
    if (value.is_null()) values.emplace_back(name, kNoValue);
  }
  table_.Add(last_step_, values);
  AddVerdict(last_step_, record);
  AddActions(last_step_, record);
  AddNonfinite(last_step_, record);
}

// Only changes are kept, so that memory does not grow with the run.
void RunStats::AddVerdict(std::uint64_t step, const Json& line) {
  const auto verdict = line.find("verdict");
  if (verdict == line.end() || !verdict->is_string()) return;
  const auto& name = verdict->get_ref<const std::string&>();
  if (verdicts_.empty() || verdicts_.back().second != name) verdicts_.emplace_back(step, name);
}

// Counts are exact; the list of steps keeps the newest only.
void RunStats::AddActions(std::uint64_t step, const Json& line) {
  const auto actions = line.find("actions");
  if (actions == line.end() || !actions->is_array()) return;
  for (const Json& action : *actions) {
    if (!action.is_string()) continue;
    const auto& name = action.get_ref<const std::string&>();
    Keep(actions_, {step, name}, kMostEvents);
    // The number of different names is bounded, because a damaged file could contain arbitrary ones.
    if (action_counts_.size() < kMostEvents || action_counts_.count(name) > 0) ++action_counts_[name];
  }
}

// Losses are measured in every step, so null means that they were not finite.
void RunStats::AddNonfinite(std::uint64_t step, const Json& line) {
  const auto is_null = [&](const char* name) { return line.contains(name) && line.at(name).is_null(); };
  if (!is_null("loss_d") && !is_null("loss_g")) return;
  Keep(nonfinite_, step, kMostEvents);
  ++nonfinite_count_;
}

// Verdicts that lasted too briefly to be visible are left out when there are more than kMostEvents.
Json RunStats::Verdicts() const {
  const std::uint64_t shortest = verdicts_.size() > kMostEvents ? last_step_ / kMostEvents : 0;
  Json shown = Json::array();
  for (std::size_t i = 0; i < verdicts_.size(); ++i) {
    const std::uint64_t end = i + 1 < verdicts_.size() ? verdicts_[i + 1].first : last_step_ + 1;
    if (end - verdicts_[i].first >= shortest || i + 1 == verdicts_.size()) shown.push_back(verdicts_[i]);
  }
  return shown;
}

// Invalid UTF-8 from the file is replaced, because JSON must be valid for the page.
std::string RunStats::JsonText() const {
  using nlohmann::json;
  const json facts = {{"lines", lines_},
                      {"bad_lines", bad_lines_},
                      {"read_ratio", size_ == 0 ? 1.0 : static_cast<double>(offset_) / static_cast<double>(size_)},
                      {"last", storage::IsModestJson(last_line_) ? json::parse(last_line_) : json()},
                      {"verdicts", Verdicts()},
                      {"actions", actions_},
                      {"action_counts", action_counts_},
                      {"nonfinite", nonfinite_},
                      {"nonfinite_count", nonfinite_count_}};
  std::string text = facts.dump(-1, ' ', false, json::error_handler_t::replace);
  text.back() = ',';  // the table is appended as text, which avoids parsing it again
  return text + "\"table\":" + table_.JsonText() + "}";
}

}  // namespace gan::monitoring
