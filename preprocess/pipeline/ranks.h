// The processes that share one run of gan-preprocess. MPI is loaded and started only under mpirun or srun, so that the
// program starts in milliseconds and runs where there is no MPI.
#pragma once

#include <string>
#include <vector>

namespace gan::preprocess {

class Ranks {
 public:
  Ranks() = default;  // one rank, without MPI
  // All that mpirun or srun started; without them one. Before any thread is started. Throws std::runtime_error when MPI
  // cannot be loaded.
  static Ranks Join();

  int rank() const { return rank_; }
  int size() const { return size_; }
  int local_rank() const { return local_rank_; }  // among those on this machine

  // Collective, from the main thread alone, as all that follow. Rank 0's text on every rank.
  std::string Broadcast(std::string text) const;
  // On rank 0 the texts of all ranks in order; nothing on the others.
  std::vector<std::string> Gather(std::string text) const;
  void Finish();                    // every rank is done
  void Abort(int exit_code) const;  // ends the whole job; without MPI it does nothing

 private:
  int rank_ = 0;
  int size_ = 1;
  int local_rank_ = 0;
  bool joined_ = false;
};

}  // namespace gan::preprocess
