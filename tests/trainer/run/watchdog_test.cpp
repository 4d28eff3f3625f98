#include "trainer/run/watchdog.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <thread>

namespace gan::run {
namespace {

// Hangs with less of its stack left than a signal's frame and a stack trace need.
[[noreturn]] void FillAndHang(std::uintptr_t end) {
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  auto* const room = static_cast<volatile char*>(__builtin_alloca(here - end - 2048));
  room[0] = 1;
  while (true) ::pause();
}

// The thread has a stack of its own for signals, like the first thread of gan-train (stop_signal.cpp).
void* HangWithFullStack(void* /*unused*/) {
  alignas(64) static std::array<std::byte, std::size_t{64} << 10> room;
  stack_t own = {};
  own.ss_sp = room.data();
  own.ss_size = room.size();
  sigaltstack(&own, nullptr);
  pthread_attr_t attributes;
  pthread_getattr_np(pthread_self(), &attributes);
  void* end = nullptr;
  std::size_t bytes = 0;
  pthread_attr_getstack(&attributes, &end, &bytes);
  FillAndHang(reinterpret_cast<std::uintptr_t>(end));
}

void HangUnderWatchdog() {
  const Watchdog watchdog({.start_seconds = 1}, 0);
  pthread_t thread{};
  pthread_create(&thread, nullptr, HangWithFullStack, nullptr);
  std::this_thread::sleep_for(std::chrono::seconds(60));
}

TEST(Watchdog, AThreadThatHangsWithAFullStackIsToldOfToo) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(HangUnderWatchdog(), ::testing::ExitedWithCode(1), "no sign of life");
}

}  // namespace
}  // namespace gan::run
