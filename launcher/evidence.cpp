#include "launcher/evidence.h"

#include <algorithm>
#include <array>
#include <functional>

#include "cli/main.h"
#include "launcher/hosts.h"
#include "launcher/incurable.h"
#include "launcher/launcher_words.h"
#include "launcher/memory_kills.h"
#include "launcher/programs.h"
#include "launcher/report.h"
#include "launcher/restart_policy.h"
#include "launcher/slots.h"
#include "storage/errors.h"
#include "storage/host_name.h"

namespace gan::launch {

namespace {

template <std::size_t size>
std::string TextOf(const std::array<char, size>& text) {
  return {text.begin(), std::find(text.begin(), text.end(), '\0')};
}

}  // namespace

void EvidenceCollector::Begin() {
  // One pipe per attempt, so that no text of an earlier attempt is attributed to this one.
  tee_.emplace();
  board_.Clear();
  memory_kills_ = MemoryKills();
}

Evidence EvidenceCollector::Of(const Ending& ending, const std::filesystem::path& run, const LaunchOptions& placed) {
  Evidence evidence;
  evidence.text = WithShortLines(tee_->Finish());
  evidence.ending = EndingToldBy(evidence.text, ending);
  evidence.host = storage::HostName();
  // The kernel has counted kills for lack of memory since it was started, so the count of Begin() is subtracted. The
  // rest may still include processes of others.
  evidence.memory_kills = MemoryKills() - memory_kills_;
  for (std::size_t rank = 0; rank < board_.size(); ++rank) {
    // The host is not part of the snapshot that Seen() prefers.
    evidence.hosts.push_back(TextOf(board_.Slot(rank).host));
    const storage::RankSlot& slot = board_.Seen(rank);
    // The rank is on another host, or it ended before it could enter its process number.
    if (slot.process == 0) continue;
    evidence.ranks.push_back({.rank = static_cast<int>(rank),
                              .section = TextOf(slot.section),
                              .collective = TextOf(slot.collective.name),
                              .in_collective = slot.collective.inside != 0,
                              .collectives = slot.collective.entered,
                              .last_beat = 1e-9 * static_cast<double>(slot.beat_nanoseconds)});
  }
  // This exit code needs no further explanation, so no host is asked.
  if (IsFinal(evidence.ending, /*first_attempt=*/true)) return evidence;
  evidence.disk = WhyDiskIsFull(run);
  if (placed.launcher == "mpirun" && !OnThisHostAlone(placed)) {
    evidence.gone_hosts = Unreachable(HostsOf(placed.launcher_arguments), placed.launcher_arguments);
  }
  return evidence;
}

void RequireJobCanStart(LaunchOptions& options, const std::filesystem::path& run) {
  // A refusal is written to launch.json too, because nobody reads the stderr of a job that a scheduler starts.
  const auto require = [&](Cause cause, const std::function<void()>& check) {
    try {
      check();
    } catch (const UsageError& error) {
      WriteRefusal(run, cause, cli::kUsage, error.what());
      throw;
    }
  };
  // The checks are in this order, because the second check runs the launcher that the first one looks for.
  require(Cause::kBadFlag, [&] { RequirePrograms(options); });
  require(Cause::kOtherMpi, [&] { RequireOwnMpirun(options); });
  TakeHostfileOfEnvironment(options);
  require(Cause::kBadFlag, [&] { RequireSlots(options); });
}

}  // namespace gan::launch
