// What mpirun, srun and ssh say of the end of a job. All functions search the text that they wrote to stderr, with
// short lines.
#pragma once

#include <optional>
#include <string>

#include "launcher/job.h"

namespace gan::launch {

// The text with the rest of each very long line cut off: std::regex calls itself once per character, so a long line
// would take all of the stack.
std::string WithShortLines(const std::string& text);

// A rank that ended by itself.
std::optional<int> RankThatEnded(const std::string& text);

struct SignalledRank {
  int rank = 0;
  std::string host;
  int signal = 0;
};
std::optional<SignalledRank> RankThatWasSignalled(const std::string& text);

// Whether a daemon or a remote shell on another host was lost, and which host it was; "" when the text does not say it.
bool SpeaksOfALostHost(const std::string& text);
std::string HostNamedIn(const std::string& text);

// How the job ended. When a signal ended mpirun, as when it hung and was killed, what it had said before of the exit
// code of a rank explains more.
Ending EndingToldBy(const std::string& text, const Ending& ending);

}  // namespace gan::launch
