// Notes the collective that this process is in where another process can read it after this one has died.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "storage/rank_board.h"

namespace gan::distributed {

// The collectives of this process over MPI are noted in the slot of `rank` from now on, until the board is null.
void NoteCollectivesIn(storage::RankBoard* board, std::size_t rank = 0);
// This process gives up waiting for the others: takes the snapshot of the board.
void NoteSilence();

// Notes on which host each rank runs.
void NoteHosts(const std::vector<std::string>& hosts);

// Notes a collective while it lives.
class InCollective {
 public:
  InCollective(const char* purpose, const char* operation);
  ~InCollective();
  InCollective(const InCollective&) = delete;
  InCollective& operator=(const InCollective&) = delete;

 private:
  storage::CollectiveNote* const place_;
};

}  // namespace gan::distributed
