// Lets the ranks of a job on GPUs find each other before NCCL connects them.
#pragma once

#include <c10/util/intrusive_ptr.h>

#include <optional>
#include <string>
#include <vector>

#include "trainer/distributed/communicator.h"

namespace c10d {
class Store;
}

namespace gan::distributed {

// A network interface and one of its addresses.
struct Interface {
  std::string name;
  std::string address;
};

// The interface that routes packets to `host` (a name or an address). Empty when the host cannot be resolved or
// reached. Sends no packets.
std::optional<Interface> InterfaceTowards(const std::string& host);

// A host from its own point of view: its name and the addresses of its interfaces, without loopback.
struct HostAddresses {
  std::string name;
  std::vector<std::string> addresses;
};
HostAddresses ThisHost();

// The interface that routes packets to another host, which is found by its name or, where names are not resolved (pods
// with short host names), by one of its addresses. An address that `own` has as well, such as that of a bridge for
// containers, does not lead to the other host and is skipped.
std::optional<Interface> InterfaceTowards(const HostAddresses& other, const HostAddresses& own);

struct Rendezvous {
  c10::intrusive_ptr<c10d::Store> store;
  std::string log_line;  // one line for the log: listening addresses
};

// Collective. Rank 0 creates a store that listens on one address only: on loopback when all ranks share its host,
// otherwise on the address of the interface that routes to another host. Addresses are exchanged, so hosts need not
// know each other by name. NCCL opens its own listening socket, so NCCL_SOCKET_IFNAME is set to the same interface
// unless the user has set it. When no other host can be reached, both listen on every interface, and the log line says
// so.
Rendezvous Meet(Communicator& communicator, const World& world);

}  // namespace gan::distributed
