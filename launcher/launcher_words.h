// Reads the messages of mpirun, srun and ssh about the end of a job. All functions search the text of stderr, with
// short lines.
#pragma once

#include <optional>
#include <string>

#include "launcher/job.h"

namespace gan::launch {

// The text with the rest of each very long line cut off: std::regex calls itself once per character, so a long line
// would take all of the stack.
std::string WithShortLines(const std::string& text);

// A rank that ended by itself, without a signal.
std::optional<int> RankThatEnded(const std::string& text);

struct SignalledRank {
  int rank = 0;
  std::string host;
  int signal = 0;
};
std::optional<SignalledRank> RankThatWasSignalled(const std::string& text);

// Whether a daemon or a remote shell on another host was lost, and the name of that host; "" if the text does not
// contain it.
bool SpeaksOfALostHost(const std::string& text);
std::string HostNamedIn(const std::string& text);

// How the job ended. If a signal ended mpirun, for example because it hung and was killed, its earlier message about
// the exit code of a rank is used instead. If mpirun ended with 0 although it has lost a host, the job has failed.
Ending EndingToldBy(const std::string& text, const Ending& ending);

}  // namespace gan::launch
