#include "trainer/loss/adversarial.h"

#include <stdexcept>

namespace gan::loss {

// A search instead of an index, so that the order of the table is free.
const AdversarialLoss& LossOf(Kind kind) {
  for (const AdversarialLoss* loss : kAdversarialLosses) {
    if (loss->kind == kind) return *loss;
  }
  throw std::logic_error("a loss without a row");
}

}  // namespace gan::loss
