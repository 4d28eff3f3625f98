#include "preprocess/pipeline/ranks.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "open_mpi/runtime.h"
#include "plugin/plugin.h"
#include "preprocess/pipeline/ranks_plugin.h"

namespace gan::preprocess {

namespace {

struct RanksPlugin {
  decltype(&GanRanksStart) start;
  decltype(&GanRanksBroadcast) broadcast;
  decltype(&GanRanksSend) send;
  decltype(&GanRanksReceive) receive;
  decltype(&GanRanksFinish) finish;
  decltype(&GanRanksAbort) abort;
};

RanksPlugin Load() {
  open_mpi::LeaveHangupAlone();
  // Global, because Open MPI's own plugins look up its symbols in the global scope.
  Plugin plugin("libgan_ranks.so", SymbolScope::kGlobal);
  const RanksPlugin ranks = {plugin.Find<decltype(GanRanksStart)>("GanRanksStart"),
                             plugin.Find<decltype(GanRanksBroadcast)>("GanRanksBroadcast"),
                             plugin.Find<decltype(GanRanksSend)>("GanRanksSend"),
                             plugin.Find<decltype(GanRanksReceive)>("GanRanksReceive"),
                             plugin.Find<decltype(GanRanksFinish)>("GanRanksFinish"),
                             plugin.Find<decltype(GanRanksAbort)>("GanRanksAbort")};
  if (!plugin.why().empty()) throw std::runtime_error("started by mpirun or srun, but: " + plugin.why());
  return ranks;
}

const RanksPlugin& ThePlugin() {
  static const RanksPlugin kPlugin = Load();
  return kPlugin;
}

// By mpirun of Open MPI or MPICH, or by srun with PMIx or PMI.
bool WasLaunched() {
  constexpr std::array kNames = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"};
  for (const char* name : kNames) {
    if (std::getenv(name) != nullptr) return true;
  }
  return false;
}

}  // namespace

Ranks Ranks::Join() {
  Ranks ranks;
  if (!WasLaunched()) return ranks;
  GanRanksWorld world{};
  ThePlugin().start(&world);
  ranks.rank_ = world.rank;
  ranks.size_ = world.size;
  ranks.local_rank_ = world.local_rank;
  ranks.joined_ = true;
  return ranks;
}

std::string Ranks::Broadcast(std::string text) const {
  if (size_ == 1) return text;
  std::uint64_t bytes = text.size();
  // The length is sent first, because the receivers have to allocate memory.
  ThePlugin().broadcast(reinterpret_cast<char*>(&bytes), sizeof bytes);
  text.resize(bytes);
  ThePlugin().broadcast(text.data(), bytes);
  return text;
}

std::vector<std::string> Ranks::Gather(std::string text) const {
  std::uint64_t bytes = text.size();
  if (rank_ > 0) {
    ThePlugin().send(reinterpret_cast<const char*>(&bytes), sizeof bytes, 0);
    ThePlugin().send(text.data(), bytes, 0);
    return {};
  }
  std::vector<std::string> all;
  all.push_back(std::move(text));
  for (int from = 1; from < size_; ++from) {
    ThePlugin().receive(reinterpret_cast<char*>(&bytes), sizeof bytes, from);
    all.emplace_back(bytes, '\0');
    ThePlugin().receive(all.back().data(), bytes, from);
  }
  return all;
}

void Ranks::Finish() {
  if (std::exchange(joined_, false)) ThePlugin().finish();
}

void Ranks::Abort(int exit_code) const {
  if (joined_) ThePlugin().abort(exit_code);
}

}  // namespace gan::preprocess
