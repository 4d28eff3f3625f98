#include "trainer/distributed/rendezvous.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sstream>
#include <utility>
#include <vector>

#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "storage/host_name.h"

namespace gan::distributed {

namespace {

constexpr int kAtOnce = 4096;  // pending connections: all ranks connect at the same time
constexpr const char* kNcclInterface = "NCCL_SOCKET_IFNAME";

// NCCL needs a store through which the ranks exchange its ids. c10d's TCPStore listens on all interfaces unless it is
// given a socket, so the socket is made here, on the one interface that leads to the other hosts. MPI tells the other
// ranks where.

// Closes its descriptor unless it was released.
class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int get() const { return descriptor_; }
  int Release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

// An empty result means that the host cannot be resolved.
Addresses Resolve(const std::string& host, int type) {
  addrinfo hints = {};
  hints.ai_socktype = type;
  addrinfo* found = nullptr;
  // connect() needs a port, but any will do.
  if (::getaddrinfo(host.c_str(), "9", &hints, &found) != 0) found = nullptr;
  return {found, &::freeaddrinfo};
}

// The numeric form of an address.
std::string TextOf(const sockaddr* address, socklen_t length) {
  char text[NI_MAXHOST] = {};
  if (::getnameinfo(address, length, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0) return "";
  return text;
}

socklen_t LengthOf(const sockaddr* address) {
  return address->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

// The interfaces of this host with one address each; an interface with several addresses is listed several times.
std::vector<Interface> Interfaces() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(all, &::freeifaddrs);
  std::vector<Interface> interfaces;
  for (const ifaddrs* each = all; each != nullptr; each = each->ifa_next) {
    const sockaddr* its = each->ifa_addr;
    if (its == nullptr || (its->sa_family != AF_INET && its->sa_family != AF_INET6)) continue;
    interfaces.push_back({each->ifa_name, TextOf(its, LengthOf(its))});
  }
  return interfaces;
}

// The name of the interface that has this address.
std::string NameOfInterface(const std::string& address) {
  for (const Interface& each : Interfaces()) {
    if (each.address == address) return each.name;
  }
  return "";
}

// Whether other hosts can use the address: not loopback, and no IPv6 address that is valid on one link only.
// Link-local addresses of IPv6 have a zone ("fe80::1%eth0"), whose name means something on their own host only.
bool IsOfTheNetwork(const Interface& interface) {
  return interface.name != "lo" && interface.address.find('%') == std::string::npos;
}

// A socket that listens on a free port of `address` only; -1 on failure.
int ListenOn(const std::string& address) {
  const Addresses found = Resolve(address, SOCK_STREAM);
  if (!found) return -1;
  sockaddr_storage own = {};
  std::memcpy(&own, found->ai_addr, found->ai_addrlen);
  if (found->ai_family == AF_INET) reinterpret_cast<sockaddr_in&>(own).sin_port = 0;
  if (found->ai_family == AF_INET6) reinterpret_cast<sockaddr_in6&>(own).sin6_port = 0;
  Socket socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0 || ::bind(socket.get(), reinterpret_cast<sockaddr*>(&own), found->ai_addrlen) != 0 ||
      ::listen(socket.get(), kAtOnce) != 0) {
    return -1;
  }
  return socket.Release();
}

// The kernel has chosen the port.
std::uint16_t PortOf(int listening) {
  sockaddr_storage own = {};
  socklen_t length = sizeof own;
  ::getsockname(listening, reinterpret_cast<sockaddr*>(&own), &length);
  return ntohs(own.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(own).sin6_port
                                         : reinterpret_cast<sockaddr_in&>(own).sin_port);
}

// One word per name or address, as the ranks exchange them.
std::string ToText(const HostAddresses& host) {
  std::string text = host.name;
  for (const std::string& address : host.addresses) text += " " + address;
  return text;
}

HostAddresses FromText(const std::string& text) {
  std::istringstream words(text);
  HostAddresses host;
  words >> host.name;
  for (std::string address; words >> address;) host.addresses.push_back(address);
  return host;
}

// The interface on which rank 0 listens: the one towards the first rank on another host, or loopback if there is none.
std::optional<Interface> WhereToListen(const std::vector<std::string>& hosts, const HostAddresses& own,
                                       const World& world) {
  // Ranks of one host never open a port to the network.
  if (world.local_size == world.size) return Interface{"lo", "127.0.0.1"};
  for (const std::string& text : hosts) {
    const HostAddresses host = FromText(text);
    if (host.name == own.name) continue;
    if (auto interface = InterfaceTowards(host, own)) return interface;
  }
  return std::nullopt;
}

// Sets the interface on which NCCL listens, unless the user has set it.
void SetNcclInterface(const std::optional<Interface>& interface) {
  if (!interface || interface->name.empty()) return;
  // "=" requires an exact match; otherwise NCCL takes the name as a prefix.
  ::setenv(kNcclInterface, interface->name == "lo" ? "lo" : ("=" + interface->name).c_str(), /*overwrite=*/0);
}

// The workers need not be waited for: every rank reads the store when it connects.
c10d::TCPStoreOptions OptionsAt(std::uint16_t port) {
  c10d::TCPStoreOptions options;
  options.port = port;
  options.waitWorkers = false;
  return options;
}

// Listens on the interface. If that fails, resets `interface` and listens on all interfaces.
c10::intrusive_ptr<c10d::TCPStore> OpenStore(std::optional<Interface>& interface) {
  const int listening = interface ? ListenOn(interface->address) : -1;
  c10d::TCPStoreOptions options = OptionsAt(listening < 0 ? 0 : PortOf(listening));
  options.isServer = true;
  if (listening < 0) {
    interface.reset();
  } else {
    options.masterListenFd =
        listening;  // owned by the store from now on; without it the store would listen on every interface
  }
  return c10::make_intrusive<c10d::TCPStore>(interface ? interface->address : storage::HostName(), options);
}

// "address port" of rank 0's store, on every rank.
std::string AddressOf(c10d::TCPStore* store, Communicator& communicator) {
  return communicator.Broadcast(store == nullptr ? "" : store->getHost() + " " + std::to_string(store->getPort()));
}

std::string LogLine(const std::string& address, const std::optional<Interface>& interface) {
  const char* nccl = std::getenv(kNcclInterface);
  return (interface ? "ranks meet at " + address + " (" + interface->name + ")"
                    : "ranks meet on every interface of this host, for no other host could be reached") +
         "; NCCL listens on " + (nccl == nullptr ? "an interface of its choice" : std::string(nccl));
}

}  // namespace

// A host may have several addresses; the first one with a route decides.
std::optional<Interface> InterfaceTowards(const std::string& host) {
  const Addresses found = Resolve(host, SOCK_DGRAM);
  for (const addrinfo* each = found.get(); each != nullptr; each = each->ai_next) {
    const Socket socket(::socket(each->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    // Connecting a datagram socket determines the route without sending anything.
    if (socket.get() < 0 || ::connect(socket.get(), each->ai_addr, each->ai_addrlen) != 0) continue;
    sockaddr_storage own = {};
    socklen_t length = sizeof own;
    if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &length) != 0) continue;
    const std::string address = TextOf(reinterpret_cast<sockaddr*>(&own), length);
    if (const std::string name = NameOfInterface(address); !name.empty()) return Interface{name, address};
  }
  return std::nullopt;
}

HostAddresses ThisHost() {
  HostAddresses host{storage::HostName(), {}};
  for (const Interface& each : Interfaces()) {
    if (IsOfTheNetwork(each)) host.addresses.push_back(each.address);
  }
  return host;
}

std::optional<Interface> InterfaceTowards(const HostAddresses& other, const HostAddresses& own) {
  // Hosts that cannot resolve each other's names, such as pods with short host names, meet at an address.
  if (auto interface = InterfaceTowards(other.name)) return interface;
  for (const std::string& address : other.addresses) {
    // An address that both hosts have, such as that of a container bridge, leads each of them back to itself.
    if (std::find(own.addresses.begin(), own.addresses.end(), address) != own.addresses.end()) continue;
    if (auto interface = InterfaceTowards(address)) return interface;
  }
  return std::nullopt;
}

Rendezvous Meet(Communicator& communicator, const World& world) {
  const HostAddresses own = ThisHost();
  const std::vector<std::string> hosts = communicator.AllGather(ToText(own));
  std::optional<Interface> interface;
  c10::intrusive_ptr<c10d::TCPStore> store;
  if (world.rank == 0) {
    interface = WhereToListen(hosts, own, world);
    store = OpenStore(interface);
  }
  std::istringstream text(AddressOf(store.get(), communicator));
  std::string address;
  std::uint16_t port = 0;
  text >> address >> port;
  // Only rank 0 has a store yet; the others connect to it.
  if (!store) {
    interface = world.local_size == world.size ? Interface{"lo", address} : InterfaceTowards(address);
    store = c10::make_intrusive<c10d::TCPStore>(address, OptionsAt(port));
  }
  SetNcclInterface(interface);
  return {store, LogLine(address, interface)};
}

}  // namespace gan::distributed
