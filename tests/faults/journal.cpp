#include "tests/faults/journal.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "tests/faults/plan.h"

namespace gan::faults {

namespace {

template <typename Number>
void Put(std::string& record, Number value) {
  record.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void PutText(std::string& record, const void* data, std::size_t size) {
  Put(record, static_cast<std::uint64_t>(size));
  if (size > 0) record.append(static_cast<const char*>(data), size);
}

}  // namespace

void Note(Action action, const std::string& path, std::uint64_t number, const std::string& other, const void* data,
          std::size_t size) {
  const Plan& plan = Plan::Get();
  if (plan.journal() < 0 || !plan.Watches(path)) return;
  std::string record;
  Put(record, static_cast<std::uint8_t>(action));
  Put(record, number);
  PutText(record, path.data(), path.size());
  PutText(record, other.data(), other.size());
  PutText(record, data, size);
  if (::syscall(SYS_write, plan.journal(), record.data(), record.size()) == static_cast<long>(record.size())) return;
  std::fputs("fault shim: the journal cannot be written\n", stderr);
  ::_exit(2);
}

}  // namespace gan::faults
