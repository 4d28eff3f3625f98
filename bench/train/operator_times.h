// Time per operator of LibTorch and per function of autograd, without the time of the operators that they call. All
// threads count, so with several threads the sum may exceed the wall time.
#pragma once

#include <ATen/record_function.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace gan::bench {

class OperatorTimes {
 public:
  using Clock = std::chrono::steady_clock;
  struct Total {
    double seconds = 0;
    std::uint64_t calls = 0;
  };

  // Counts from now on, until the destructor.
  OperatorTimes() {
    Instance() = this;
    handle_ = at::addGlobalCallback(at::RecordFunctionCallback(&Begin, &End)
                                        .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
  }
  ~OperatorTimes() {
    at::removeCallback(handle_);
    Instance() = nullptr;
  }
  OperatorTimes(const OperatorTimes&) = delete;
  OperatorTimes& operator=(const OperatorTimes&) = delete;

  // The slowest operators, in milliseconds per step and as a share of `step_seconds`, the wall time of a step.
  void Print(double steps, double step_seconds, std::size_t most) const {
    std::vector<std::pair<std::string, Total>> sorted(totals_.begin(), totals_.end());
    std::sort(sorted.begin(), sorted.end(),
              [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
    double all = 0;
    for (const auto& [name, total] : sorted) all += total.seconds / steps;
    std::printf("%9s %7s %7s  operator, without the operators that it calls, in the outermost one\n", "ms/step",
                "share", "calls");
    for (std::size_t i = 0; i < std::min(most, sorted.size()); ++i) {
      const auto& [name, total] = sorted[i];
      std::printf("%9.2f %6.1f%% %7.0f  %s\n", 1e3 * total.seconds / steps, 100 * total.seconds / steps / step_seconds,
                  static_cast<double>(total.calls) / steps, name.c_str());
    }
    std::printf("%9.2f %6.1f%%          all operators; the rest of a step is outside of LibTorch's\n", 1e3 * all,
                100 * all / step_seconds);
  }

 private:
  // The time since the callback began, and the part of it that inner operators took.
  struct Running : at::ObserverContext {
    Clock::time_point begin = Clock::now();
    std::string outermost;  // the operator or function of autograd that the caller of LibTorch called
    Running* outer = nullptr;
    double inside = 0;
  };

  static OperatorTimes*& Instance() {
    static OperatorTimes* instance = nullptr;
    return instance;
  }
  static Running*& Innermost() {
    thread_local Running* innermost = nullptr;
    return innermost;
  }

  static std::unique_ptr<at::ObserverContext> Begin(const at::RecordFunction& function) {
    auto running = std::make_unique<Running>();
    running->outer = Innermost();
    running->outermost = running->outer != nullptr ? running->outer->outermost : function.name();
    Innermost() = running.get();
    return running;
  }

  static void End(const at::RecordFunction& function, at::ObserverContext* context) {
    auto* running = static_cast<Running*>(context);
    const double seconds = std::chrono::duration<double>(Clock::now() - running->begin).count();
    Innermost() = running->outer;
    if (running->outer != nullptr) running->outer->inside += seconds;
    OperatorTimes* self = Instance();
    if (self == nullptr) return;
    const std::lock_guard lock(self->mutex_);
    const std::string name = function.name();
    Total& total = self->totals_[name == running->outermost ? name : name + " in " + running->outermost];
    total.seconds += seconds - running->inside;
    ++total.calls;
  }

  at::CallbackHandle handle_{};
  std::mutex mutex_;
  std::map<std::string, Total> totals_;  // guarded by mutex_
};

}  // namespace gan::bench
