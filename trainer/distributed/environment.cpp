#include "trainer/distributed/mpi_api.h"

#include <sys/uio.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <fstream>
#include <string>

#include "storage/errors.h"
#include "trainer/distributed/communicator.h"

namespace gan::distributed {

namespace {

// Whether a rank may read another's memory: containers forbid the call, Yama can keep it to debuggers.
bool MayReadOtherProcesses() {
  std::ifstream scope("/proc/sys/kernel/yama/ptrace_scope");
  if (int value = 0; scope >> value && value != 0) return false;
  char from = 1, to = 0;
  const iovec local = {&to, 1}, remote = {&from, 1};
  return ::process_vm_readv(::getpid(), &local, 1, &remote, 1, 0) == 1;
}

// Fixed before MPI starts and only where the user has not chosen: Open MPI copies between ranks through the kernel,
// once instead of twice, and complains at every start where that is forbidden.
void SetQuietDefaults() {
  if (MayReadOtherProcesses()) return;
  ::setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", /*overwrite=*/0);
}

bool IsSet(const char* name) { return std::getenv(name) != nullptr; }

// srun without PMIx starts processes that do not know of each other; MPI would end each with a page of advice, or each
// would be a world of its own.
void RequireNoSingletons() {
  const char* tasks = std::getenv("SLURM_STEP_NUM_TASKS");
  if (tasks == nullptr || std::atoi(tasks) < 2) return;
  if (IsSet("PMIX_RANK") || IsSet("PMI_RANK") || IsSet("OMPI_COMM_WORLD_SIZE")) return;
  throw UsageError(std::string("srun has started ") + tasks +
                   " processes that do not know of each other; start them with srun --mpi=pmix or with mpirun");
}

World FindWorld() {
  World world;
  MPI_Comm host = MPI_COMM_NULL;
  MPI_Comm_rank(MPI_COMM_WORLD, &world.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &world.size);
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, world.rank, MPI_INFO_NULL, &host);
  MPI_Comm_rank(host, &world.local_rank);
  MPI_Comm_size(host, &world.local_size);
  MPI_Comm_free(&host);
  return world;
}

}  // namespace

Environment::Environment(int* argc, char*** argv) : exceptions_at_start_(std::uncaught_exceptions()) {
  RequireNoSingletons();
  SetQuietDefaults();
  int provided = MPI_THREAD_SINGLE;
  MPI_Init_thread(argc, argv, MPI_THREAD_MULTIPLE, &provided);
  if (provided < MPI_THREAD_MULTIPLE) {
    MPI_Finalize();
    throw UsageError("this MPI library has no MPI_THREAD_MULTIPLE, which several communicators at once need");
  }
  world_ = FindWorld();
  // An error in a nonblocking collective is reported on the world's handler, which by default ends the job wordlessly.
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
}

Environment::~Environment() {
  if (std::uncaught_exceptions() == exceptions_at_start_) MPI_Finalize();
}

void Environment::Abort(int exit_code) {
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::_Exit(exit_code);  // MPI_Abort does not return; the compiler cannot know
}

}  // namespace gan::distributed
