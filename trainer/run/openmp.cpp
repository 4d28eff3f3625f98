#include "trainer/run/openmp.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

#include "storage/errors.h"

namespace gan::run {

namespace {

// A function of the OpenMP library that LibTorch has loaded; null if there is none. Linking to a library by name could
// load a second one.
template <typename Function>
Function* Find(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_DEFAULT, name));
}

// The OpenMP functions that are used here. GOMP_parallel is GNU's way to open a region without compiling with -fopenmp;
// LLVM's and Intel's libraries provide it too.
using SetNumber = void(int);
using GetNumber = int();
using SetLocalNumber = int(int);
using OpenRegion = void(void (*body)(void*), void* data, unsigned threads, unsigned flags);

constexpr std::array<const char*, 4> kVariables = {"OMP_THREAD_LIMIT", "OMP_DYNAMIC", "OMP_MAX_ACTIVE_LEVELS",
                                                   "OMP_NESTED"};

// Opens a real region, because limits can come from sources that no function reports.
int SizeOfRegion(int threads) {
  const auto open = Find<OpenRegion>("GOMP_parallel");
  if (open == nullptr || Find<GetNumber>("omp_get_num_threads") == nullptr)
    return threads;  // without OpenMP nothing limits the threads
  int size = 0;
  const auto ask = [](void* data) {
    if (Find<GetNumber>("omp_get_thread_num")() == 0)
      *static_cast<int*>(data) = Find<GetNumber>("omp_get_num_threads")();
  };
  open(ask, &size, static_cast<unsigned>(threads), 0);
  return size;
}

// Only variables that can reduce the size of a region.
std::string VariablesThatAreSet() {
  std::string names;
  for (const char* name : kVariables) {
    if (const char* value = std::getenv(name); value != nullptr) {
      names += (names.empty() ? "" : ", ") + std::string(name) + "=" + value;
    }
  }
  return names.empty() ? "no variable of OpenMP is set" : "unset " + names;
}

}  // namespace

// These settings belong to the calling thread and override the environment.
void AllowWholeRegions() {
  if (const auto set = Find<SetNumber>("omp_set_dynamic")) set(0);
  const auto levels = Find<GetNumber>("omp_get_max_active_levels");
  const auto set_levels = Find<SetNumber>("omp_set_max_active_levels");
  if (levels != nullptr && set_levels != nullptr && levels() < 1) set_levels(1);
}

// torch::set_num_threads would also change MKL's number for the whole process. OpenMP's number and MKL's local one
// belong to the thread. LibTorch sets both when a thread first computes, hence the first line.
void UseOneThread() {
  at::get_num_threads();
  AllowWholeRegions();
  if (const auto set = Find<SetNumber>("omp_set_num_threads")) set(1);
  if (const auto set = Find<SetLocalNumber>("MKL_Set_Num_Threads_Local")) set(1);
}

int WithinThreadLimit(int threads) {
  const auto limit = Find<GetNumber>("omp_get_thread_limit");
  return limit == nullptr ? threads : std::clamp(limit(), 1, threads);
}

void RequireWholeRegions(int threads) {
  const int size = SizeOfRegion(threads);
  if (size == threads) return;
  throw UsageError("OpenMP gives a parallel region " + std::to_string(size) + " of the " + std::to_string(threads) +
                   " requested threads, and LibTorch would compute wrong gradients; " + VariablesThatAreSet() +
                   ", or pass --threads " + std::to_string(std::max(size, 1)));
}

}  // namespace gan::run
