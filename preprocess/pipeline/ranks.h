// The processes that share one run of gan-preprocess. MPI is loaded and started only under mpirun or srun, so that the
// program starts in milliseconds and runs where there is no MPI.
#pragma once

#include <string>
#include <vector>

namespace gan::preprocess {

class Ranks {
 public:
  Ranks() = default;  // one rank, without MPI
  // Joins all processes that mpirun or srun started; without them there is one rank. Call it before any thread is
  // started. Throws std::runtime_error when MPI cannot be loaded.
  static Ranks Join();

  int rank() const { return rank_; }
  int size() const { return size_; }
  int local_rank() const { return local_rank_; }  // among those on this machine

  // Returns rank 0's text on every rank. Collective and from the main thread only, as are all functions below.
  std::string Broadcast(std::string text) const;
  // On rank 0 the texts of all ranks in order; empty on other ranks.
  std::vector<std::string> Gather(std::string text) const;
  void Finish();                    // call it when this rank is done
  void Abort(int exit_code) const;  // ends the whole job; without MPI it does nothing

 private:
  int rank_ = 0;
  int size_ = 1;
  int local_rank_ = 0;
  bool joined_ = false;
};

}  // namespace gan::preprocess
