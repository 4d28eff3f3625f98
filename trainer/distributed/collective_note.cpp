#include "trainer/distributed/collective_note.h"

#include <cstdio>

namespace gan::distributed {

namespace {

std::atomic<storage::CollectiveNote*> noted_in{nullptr};

}  // namespace

void NoteCollectivesIn(storage::CollectiveNote* place) { noted_in = place; }

InCollective::InCollective(const char* purpose, const char* operation) : place_(noted_in) {
  if (place_ == nullptr) return;
  std::snprintf(place_->name.data(), place_->name.size(), "%s, %s", purpose, operation);
  ++place_->entered;
  place_->inside = 1;
}

InCollective::~InCollective() {
  if (place_ != nullptr) place_->inside = 0;
}

}  // namespace gan::distributed
