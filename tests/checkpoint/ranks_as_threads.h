#pragma once

#include <barrier>
#include <string>
#include <thread>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace gan::checkpoint {

// Ranks as threads, which gather through shared memory.
template <typename Work>
void OnRanks(int size, const Work& work) {
  std::barrier barrier(size);
  std::vector<std::string> told(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      work(RankGroup{rank, size, [&, rank](const std::string& mine) {
                       told[static_cast<std::size_t>(rank)] = mine;
                       barrier.arrive_and_wait();
                       std::vector<std::string> all = told;
                       barrier.arrive_and_wait();
                       return all;
                     }});
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace gan::checkpoint
