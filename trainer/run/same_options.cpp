#include "trainer/run/same_options.h"

#include <array>

#include "storage/errors.h"
#include "trainer/run/agree.h"

namespace gan::run {

namespace {

// Options that may differ from host to host.
constexpr std::array kOfAHost = {"shards", "threads", "metrics_address", "metrics_password_file", "metrics_port"};

nlohmann::json Compared(nlohmann::json options) {
  for (const char* name : kOfAHost) options.erase(name);
  return options;
}

// The value of an option as text.
std::string ValueText(const nlohmann::json& options, const std::string& name) {
  return options.contains(name) ? options.at(name).dump() : "none";
}

}  // namespace

std::string DifferenceOfRanks(const std::vector<nlohmann::json>& options) {
  const nlohmann::json first = Compared(options.at(0));
  for (std::size_t rank = 1; rank < options.size(); ++rank) {
    nlohmann::json all = first;  // the names of both ranks' options
    const nlohmann::json other = Compared(options[rank]);
    all.update(other);
    for (const auto& item : all.items()) {
      const std::string &name = item.key(), here = ValueText(other, name), there = ValueText(first, name);
      if (here == there) continue;
      return name + " is " + here + " on rank " + std::to_string(rank) + " and " + there + " on rank 0";
    }
  }
  return "";
}

// Texts are exchanged, because options have no fixed size.
void RequireSameOptions(const nlohmann::json& mine, distributed::Communicator& control) {
  const std::vector<std::string> texts = control.AllGather(mine.dump());
  OnRankZero(control, [&] {
    std::vector<nlohmann::json> options;
    for (const std::string& text : texts) options.push_back(nlohmann::json::parse(text));
    const std::string difference = DifferenceOfRanks(options);
    if (!difference.empty()) throw UsageError(difference + "; start every rank with the same options");
  });
}

}  // namespace gan::run
