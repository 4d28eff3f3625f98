// Loaded by LD_PRELOAD in front of the MPI library: rank 1 of gan-rank-check gets a wrong sum from its first all-reduce
// of 16 MiB, as a faulty network card would give it.
#include <dlfcn.h>
#include <mpi.h>

#include <cstdlib>
#include <string>

extern "C" int MPI_Allreduce(const void* send, void* receive, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
  using AllReduce = int(const void*, void*, int, MPI_Datatype, MPI_Op, MPI_Comm);
  auto* const next = reinterpret_cast<AllReduce*>(::dlsym(RTLD_NEXT, "MPI_Allreduce"));
  static bool is_first = true;
  const int result = next(send, receive, count, type, op, comm);
  const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
  if (!is_first || count != 4 << 20 || rank == nullptr || std::string(rank) != "1") return result;
  *static_cast<float*>(receive) += 1;
  is_first = false;
  return result;
}
