// Notes the collective that this process is in, in memory that another process can read after this one has died.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "storage/rank_board.h"

namespace gan::distributed {

// From now on, the collectives of this process over MPI are noted in the slot of `rank`; a null board ends this.
void NoteCollectivesIn(storage::RankBoard* board, std::size_t rank = 0);
// Call it when this process gives up waiting for the others. Takes the snapshot of the board.
void NoteSilence();

// Notes on which host each rank runs.
void NoteHosts(const std::vector<std::string>& hosts);

// Notes a collective as long as the object lives.
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
