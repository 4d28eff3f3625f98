// The checkpoint layer alone, for tests that make its disk fail.
//   checkpoint_subject save ROOT STEP [RANKS]   saves a small state whose every number is STEP; ranks are threads
//   checkpoint_subject newest ROOT              prints the step of the newest intact checkpoint, 0 when there is none
//   checkpoint_subject every ROOT               fails when something that looks like a checkpoint is damaged
#include <barrier>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "storage/files.h"

namespace {

using gan::checkpoint::RankGroup;

// all_gather among threads.
class Meeting {
 public:
  explicit Meeting(int size) : barrier_(size), words_(static_cast<std::size_t>(size)) {}
  std::vector<std::string> Gather(int rank, const std::string& mine) {
    words_[static_cast<std::size_t>(rank)] = mine;
    barrier_.arrive_and_wait();
    std::vector<std::string> all = words_;
    barrier_.arrive_and_wait();
    return all;
  }

 private:
  std::barrier<> barrier_;
  std::vector<std::string> words_;
};

gan::checkpoint::SaveRequest Request(std::uint64_t step, const std::vector<float>& values) {
  gan::checkpoint::SaveRequest request;
  request.step = request.images = step;
  request.lineage = "one";
  request.state = {{"value", step}};
  request.bytes_per_writer = 1;  // as many writers as ranks
  for (const char* name : {"generator", "discriminator", "moments"}) {
    request.tensors.push_back(
        {name, "F32", {static_cast<std::int64_t>(values.size())}, std::as_bytes(std::span(values))});
  }
  return request;
}

int Save(const std::filesystem::path& root, std::uint64_t step, int size) {
  gan::storage::MakeFolders(root);
  const std::vector<float> values(2000, static_cast<float>(step));
  Meeting meeting(size);
  std::mutex mutex;  // guards failures and stderr
  int failures = 0;
  std::vector<std::jthread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        gan::checkpoint::Save(root, Request(step, values), RankGroup{rank, size, [&, rank](const std::string& mine) {
                                                                       return meeting.Gather(rank, mine);
                                                                     }});
      } catch (const std::exception& error) {
        const std::lock_guard lock(mutex);
        ++failures;
        std::cerr << "rank " << rank << ": " << error.what() << "\n";
      }
    });
  }
  threads.clear();
  if (failures == 0) gan::checkpoint::Prune(root, {.last = 2});
  if (failures != 0 && failures != size) {
    std::cerr << "only some of the ranks know of the failure\n";
    return 2;
  }
  return failures == 0 ? 0 : 1;
}

// Every number must be the step's: else parts of two checkpoints were mixed.
void RequireWhole(const gan::checkpoint::Checkpoint& found) {
  if (found.tensors.size() != 3) throw std::runtime_error("a mixture: not three tensors");
  for (const auto& tensor : found.tensors) {
    for (std::size_t at = 0; at < tensor.data.size(); at += sizeof(float)) {
      float value = 0;
      std::memcpy(&value, tensor.data.data() + at, sizeof value);
      if (value != static_cast<float>(found.step)) throw std::runtime_error("a mixture in " + tensor.name);
    }
  }
}

int Every(const std::filesystem::path& root) {
  for (const auto& folder : gan::checkpoint::ListCheckpoints(root)) RequireWhole(gan::checkpoint::Load(folder));
  return 0;
}

int Newest(const std::filesystem::path& root) {
  const auto found = gan::checkpoint::LoadNewest(root, {}, [](const std::string& why) { std::cerr << why << "\n"; });
  if (found) RequireWhole(*found);
  std::cout << (found ? found->step : 0) << "\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 2 ? argv[1] : "";
  try {
    if (what == "save" && argc >= 4)
      return Save(argv[2], std::strtoull(argv[3], nullptr, 10), argc > 4 ? std::atoi(argv[4]) : 1);
    if (what == "newest") return Newest(argv[2]);
    if (what == "every") return Every(argv[2]);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  std::cerr << "usage: checkpoint_subject save ROOT STEP [RANKS] | newest ROOT | every ROOT\n";
  return 2;
}
