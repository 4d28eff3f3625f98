// Names that differ between Open MPI 4 and Open MPI 5. The runtime of 4 is ORTE. That of 5 is PRRTE, which has its own
// names, flags and limits. In the programs, only this folder names parameters of either.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace gan::open_mpi {

enum class Runtime { kOrte, kPrrte };

// The runtime of the mpirun that printed `version` for `mpirun --version`; kOrte when that is unknown.
inline Runtime RuntimeOf(std::string_view version) {
  constexpr std::string_view kName = "(Open MPI) ";
  const std::size_t at = version.find(kName);
  const std::string number(at == std::string_view::npos ? "" : version.substr(at + kName.size()));
  const bool is_prrte = version.find("PRRTE") != std::string_view::npos || std::atoi(number.c_str()) >= 5;
  return is_prrte ? Runtime::kPrrte : Runtime::kOrte;
}

// A parameter of mpirun: the flag that sets it, its name and its value.
struct Parameter {
  std::string flag, name, value;

  // The environment variable that sets it too.
  std::string Variable() const { return (flag == "--mca" ? "OMPI_MCA_" : "PRTE_MCA_") + name; }
};

// The parameters for one host: ranks use only shared memory and, where the runtime allows it, mpirun uses only loopback
// for its own connections, which PRRTE refuses.
inline std::vector<Parameter> OnOneHost(Runtime runtime) {
  if (runtime == Runtime::kPrrte) return {{"--mca", "btl", "self,sm"}};
  return {{"--mca", "btl", "self,vader"}, {"--mca", "oob_tcp_if_include", "lo"}};
}

// A host that vanishes sends no message. With these, ssh stays a child of mpirun, notices it and ends.
inline std::vector<Parameter> OnSeveralHosts(Runtime runtime) {
  constexpr const char* kAlive = "-o ServerAliveInterval=5 -o ServerAliveCountMax=3";
  if (runtime == Runtime::kPrrte)
    return {{"--prtemca", "prte_leave_session_attached", "1"}, {"--prtemca", "plm_ssh_args", kAlive}};
  return {{"--mca", "orte_leave_session_attached", "1"}, {"--mca", "plm_rsh_args", kAlive}};
}

// How long the ranks of a failed job have between SIGTERM and SIGKILL. PRRTE has no such parameter (3.0.8 in Debian
// 13): it sends both at once.
inline std::vector<Parameter> KillAfter(Runtime runtime, std::uint64_t seconds) {
  if (runtime == Runtime::kPrrte) return {};
  return {{"--mca", "odls_base_sigkill_timeout", std::to_string(seconds)}};
}

// The variable in which the environment names a hostfile, as the operators of Kubernetes do. mpirun uses the file where
// no flag names hosts and no batch system has allocated any; "none" means no file.
inline const char* DefaultHostfileVariable(Runtime runtime) {
  return runtime == Runtime::kPrrte ? "PRTE_MCA_prte_default_hostfile" : "OMPI_MCA_orte_default_hostfile";
}

// The parameters and variables that name the remote shell, which is ssh by default.
constexpr std::array<std::string_view, 2> kRemoteShell = {"plm_rsh_agent", "plm_ssh_agent"};
constexpr std::array<const char*, 3> kRemoteShellVariables = {"OMPI_MCA_plm_rsh_agent", "PRTE_MCA_plm_ssh_agent",
                                                              "PRTE_MCA_plm_rsh_agent"};

// Ranks of one host copy data through the kernel, once instead of twice. Containers often forbid that, and Open MPI
// then prints a warning at every start. Call it before MPI is initialised. Settings of the user are kept.
inline void CopyWithoutKernel() {
  ::setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", /*overwrite=*/0);  // Open MPI 4
  ::setenv("OMPI_MCA_smsc", "^cma", /*overwrite=*/0);                             // Open MPI 5
}

// PRRTE ends a job when a process of it ends with an error, without having read what that process wrote last: with Open
// MPI 5.0.7, the line with the reason was missing in 4 of 12 jobs, and with this pause in none of 15. Each rank that
// ends with an error calls it when it has written everything, also a silent one, whose end would end the others too
// early.
inline void LetLastWordsBeRead() {
  if (std::getenv("PRTE_LAUNCHED") != nullptr) std::this_thread::sleep_for(std::chrono::milliseconds(500));
}

// UCX, which Open MPI may load, takes over SIGHUP for its debugger (findings/ucx_takes_sighup.sh). Call it before UCX
// is loaded.
inline void LeaveHangupAlone() { ::setenv("UCX_DEBUG_SIGNO", "0", /*overwrite=*/0); }

}  // namespace gan::open_mpi
