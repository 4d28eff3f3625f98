// Counts operator new, so that a test can check that a call builds no label sets and looks nothing up by them.
#pragma once

#include <cstddef>

namespace gan::monitoring {

std::size_t AllocationsOfThisThread();

}  // namespace gan::monitoring
