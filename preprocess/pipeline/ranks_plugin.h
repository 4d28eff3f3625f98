// The plugin's whole interface: C functions that ranks.cpp looks up by name. Any error of MPI ends the job.
#pragma once

#include <cstdint>

extern "C" {
struct GanRanksWorld {
  int rank, size, local_rank;
};
void GanRanksStart(GanRanksWorld* world);
void GanRanksBroadcast(char* data, std::uint64_t bytes);  // from rank 0 to all
void GanRanksSend(const char* data, std::uint64_t bytes, int to);
void GanRanksReceive(char* data, std::uint64_t bytes, int from);
void GanRanksFinish();
void GanRanksAbort(int exit_code);
}
