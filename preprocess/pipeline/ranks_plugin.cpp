#include "preprocess/pipeline/ranks_plugin.h"

// Leaves out the C++ bindings of Open MPI 4, which would need another library.
#define OMPI_SKIP_MPICXX 1
#include <mpi.h>

#include <algorithm>

#include "open_mpi/runtime.h"

namespace {

constexpr std::uint64_t kMost = std::uint64_t{1} << 30;  // MPI counts in int

template <typename Move>
void InParts(std::uint64_t bytes, const Move& move) {
  for (std::uint64_t done = 0; done < bytes; done += kMost) move(done, static_cast<int>(std::min(kMost, bytes - done)));
}

}  // namespace

void GanRanksStart(GanRanksWorld* world) {
  gan::open_mpi::CopyWithoutKernel();
  int provided = 0;
  // Other threads exist, but only the main one calls MPI.
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &world->rank);
  MPI_Comm_size(MPI_COMM_WORLD, &world->size);
  MPI_Comm host = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, world->rank, MPI_INFO_NULL, &host);
  MPI_Comm_rank(host, &world->local_rank);
  MPI_Comm_free(&host);
}

void GanRanksBroadcast(char* data, std::uint64_t bytes) {
  InParts(bytes, [&](std::uint64_t at, int n) { MPI_Bcast(data + at, n, MPI_BYTE, 0, MPI_COMM_WORLD); });
}

void GanRanksSend(const char* data, std::uint64_t bytes, int to) {
  InParts(bytes, [&](std::uint64_t at, int n) { MPI_Send(data + at, n, MPI_BYTE, to, 0, MPI_COMM_WORLD); });
}

void GanRanksReceive(char* data, std::uint64_t bytes, int from) {
  InParts(bytes, [&](std::uint64_t at, int n) {
    MPI_Recv(data + at, n, MPI_BYTE, from, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  });
}

void GanRanksFinish() { MPI_Finalize(); }

void GanRanksAbort(int exit_code) { MPI_Abort(MPI_COMM_WORLD, exit_code); }
