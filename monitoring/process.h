// Figures of this process that the kernel reports, for the process_ metrics that every Prometheus client exports.
#pragma once

namespace gan::monitoring {

struct ProcessReading {
  double cpu_seconds = 0;            // user and system, all threads
  double resident_memory_bytes = 0;  // 0 where /proc is missing
  double open_fds = 0;
};

// A few system calls; never fails. Thread-safe.
ProcessReading ReadProcess();

}  // namespace gan::monitoring
