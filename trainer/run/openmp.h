// How many threads LibTorch's OpenMP gives to a parallel region. LibTorch 2.11 computes the gradient of a convolution's
// weight as a sum of as many parts as it asked threads for, and leaves out the parts of threads that it did not get,
// without an error. So a region must have all of the threads that it asks for.
#pragma once

namespace gan::run {

// Overrides OMP_DYNAMIC and OMP_MAX_ACTIVE_LEVELS, which make regions smaller, for the calling thread: every thread
// that computes with LibTorch calls it before it does.
void AllowWholeRegions();

// `threads`, or what OMP_THREAD_LIMIT leaves of them: nothing can override that.
int WithinThreadLimit(int threads);

// Opens a region of `threads` threads. Throws UsageError, naming the environment variables that are to blame, when it
// is smaller.
void RequireWholeRegions(int threads);

}  // namespace gan::run
