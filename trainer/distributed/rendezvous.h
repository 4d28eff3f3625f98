// Where the ranks of a job on GPUs meet before NCCL connects them.
#pragma once

#include <c10/util/intrusive_ptr.h>

#include <optional>
#include <string>

#include "trainer/distributed/communicator.h"

namespace c10d {
class Store;
}

namespace gan::distributed {

// A network interface with one of its addresses.
struct Interface {
  std::string name;
  std::string address;
};

// The interface that packets to `host` (a name or an address) leave through; nothing when the host cannot be resolved
// or reached. Sends nothing.
std::optional<Interface> InterfaceTowards(const std::string& host);

struct Rendezvous {
  c10::intrusive_ptr<c10d::Store> store;
  std::string told;  // one line for the log: who listens where
};

// Collective. Rank 0 keeps a store that listens on one address alone: loopback where all ranks share its host, else
// that of the interface which reaches another host. Sets NCCL_SOCKET_IFNAME likewise unless the user has, for NCCL
// opens a listener of its own. Where no other host can be resolved, both listen on every interface, and `told` says so.
Rendezvous Meet(Communicator& communicator, const World& world);

}  // namespace gan::distributed
