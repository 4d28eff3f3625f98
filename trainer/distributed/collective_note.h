// Notes the collective that this process is in where another process can read it after this one has died.
#pragma once

#include "storage/rank_board.h"

namespace gan::distributed {

// The collectives of this process over MPI are noted in `place` from now on; null: nowhere.
void NoteCollectivesIn(storage::CollectiveNote* place);

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
