// How many threads OpenMP gives to LibTorch's parallel regions. LibTorch 2.11 splits the gradient of a convolution's
// weight into as many partial sums as it requested threads, and silently omits the partial sums of threads that it did
// not get. So a region must have all of the requested threads.
#pragma once

namespace gan::run {

// Overrides OMP_DYNAMIC and OMP_MAX_ACTIVE_LEVELS, which can reduce the number of threads, for the calling thread.
// Every thread must call it before it computes with LibTorch.
void AllowWholeRegions();

// Makes LibTorch, OpenMP and MKL compute with one thread on the calling thread, whatever other threads use.
void UseOneThread();

// The smaller of `threads` and OMP_THREAD_LIMIT, which a program cannot override.
int WithinThreadLimit(int threads);

// Opens a region of `threads` threads. Throws UsageError naming the responsible environment variables when it gets
// fewer.
void RequireWholeRegions(int threads);

}  // namespace gan::run
