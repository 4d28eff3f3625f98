#include "storage/host_name.h"

#include <unistd.h>

#include <array>
#include <climits>

namespace gan::storage {

std::string HostName() {
  // Asked of the kernel: the variable HOSTNAME is inherited from the machine on which a job was submitted.
  std::array<char, HOST_NAME_MAX + 1> name{};  // the zero at the end stays
  const bool known = ::gethostname(name.data(), name.size() - 1) == 0 && name.front() != '\0';
  return known ? name.data() : "localhost";
}

}  // namespace gan::storage
