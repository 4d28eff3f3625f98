#include "trainer/distributed/collective_note.h"

#include <cstdio>

namespace gan::distributed {

namespace {

// Global, because the Reducer starts collectives too, and it does not know the board.
std::atomic<storage::RankBoard*> noted_on{nullptr};
std::atomic<storage::CollectiveNote*> noted_in{nullptr};

}  // namespace

void NoteCollectivesIn(storage::RankBoard* board, std::size_t rank) {
  noted_on = board;
  noted_in = board == nullptr ? nullptr : &board->Slot(rank).collective;
}

void NoteSilence() {
  if (storage::RankBoard* const board = noted_on) board->TakeSnapshot();
}

void NoteHosts(const std::vector<std::string>& hosts) {
  storage::RankBoard* const board = noted_on;
  if (board == nullptr) return;
  for (std::size_t rank = 0; rank < hosts.size(); ++rank) board->Slot(rank).SetHost(hosts[rank]);
}

InCollective::InCollective(const char* purpose, const char* operation) : place_(noted_in) {
  if (place_ == nullptr) return;
  std::snprintf(place_->name.data(), place_->name.size(), "%s, %s", purpose, operation);
  // The name is written before `inside` is set to 1, so a reader that finds 1 also finds the name of that collective.
  ++place_->entered;
  place_->inside = 1;
}

InCollective::~InCollective() {
  if (place_ != nullptr) place_->inside = 0;
}

}  // namespace gan::distributed
