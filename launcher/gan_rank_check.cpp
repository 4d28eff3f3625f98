// `gan-launch --check` starts this program under mpirun or srun with the ranks of the planned job. Each rank reports
// what it finds. Arguments: run folder, first metrics port (0: any). Rank 0 prints one JSON object.
#include <mpi.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "trainer/host/host_memory.h"

namespace {

namespace fs = std::filesystem;

bool PortIsFree(int port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int reuse = 1;  // as the real server does: a port with lingering connections is free
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool free = ::bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(descriptor);
  return free;
}

// Whether this rank can create and remove a file in the folder. O_EXCL and O_NOFOLLOW: in a folder that others can
// write to, a link with this name would lead to a file of the user.
bool CanWrite(const fs::path& folder, int rank) {
  const fs::path file = folder / (".probe-rank-" + std::to_string(rank));
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (descriptor < 0) return false;
  const bool written = ::write(descriptor, "probe\n", 6) == 6;
  ::close(descriptor);
  return ::unlink(file.c_str()) == 0 && written;
}

// Whether this rank sees a file that rank 0 has created, which shows that the folder is shared.
bool SeesProbe(const fs::path& folder, int rank) {
  int number = static_cast<int>(::getpid());
  MPI_Bcast(&number, 1, MPI_INT, 0, MPI_COMM_WORLD);
  const fs::path probe = folder / (".probe-check-" + std::to_string(number));
  if (rank == 0) std::ofstream(probe) << "seen\n";
  // The first barrier waits until the file exists, the second until every rank has looked for it.
  MPI_Barrier(MPI_COMM_WORLD);
  const bool seen = fs::exists(probe);
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == 0) fs::remove(probe);
  return seen;
}

// Ranks that can share memory are on one host.
int LocalRank() {
  MPI_Comm host = MPI_COMM_NULL;
  int rank = 0;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host);
  MPI_Comm_rank(host, &rank);
  MPI_Comm_free(&host);
  return rank;
}

// The number that a rank adds to the sum. Float holds every integer up to 2^24, so sums of such small numbers are exact
// for over 100,000 ranks.
int Summand(int rank) { return rank % 100 + 1; }

struct AllReduce {
  double seconds = 1e9;
  bool is_right = true;  // every sum on this rank
};

// Measures an all-reduce of 16 MiB: the fastest of five.
AllReduce MeasureAllReduce(int rank, int size) {
  std::vector<float> values(std::size_t{4} << 20);
  int expected = 0;
  for (int other = 0; other < size; ++other) expected += Summand(other);
  AllReduce measured;
  // A rank with a wrong sum continues, because the others would wait for it in the next barrier.
  for (int turn = 0; turn < 5; ++turn) {
    std::fill(values.begin(), values.end(), static_cast<float>(Summand(rank)));
    MPI_Barrier(MPI_COMM_WORLD);
    const double start = MPI_Wtime();
    MPI_Allreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    measured.seconds = std::min(measured.seconds, MPI_Wtime() - start);
    const auto is_right = [&](float value) { return value == static_cast<float>(expected); };
    measured.is_right &= std::all_of(values.begin(), values.end(), is_right);
  }
  return measured;
}

// Texts are padded to a fixed length, so that one gather is enough.
std::vector<std::string> GatherTexts(const std::string& mine, int size) {
  constexpr std::size_t kLongest = 1024;
  std::vector<char> padded(kLongest, ' '), all(kLongest * static_cast<std::size_t>(size));
  std::copy_n(mine.begin(), std::min(mine.size(), kLongest), padded.begin());
  MPI_Gather(padded.data(), kLongest, MPI_CHAR, all.data(), kLongest, MPI_CHAR, 0, MPI_COMM_WORLD);
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < all.size(); at += kLongest) texts.emplace_back(all.data() + at, kLongest);
  return texts;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: gan-rank-check RUN_FOLDER PORT (started by gan-launch --check)\n";
    return 2;
  }
  const fs::path folder = argv[1];
  const int first_port = std::atoi(argv[2]);
  MPI_Init(&argc, &argv);
  int rank = 0, size = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  char host[MPI_MAX_PROCESSOR_NAME];
  int length = 0;
  MPI_Get_processor_name(host, &length);
  // LocalRank() is collective. All ranks get the same argument, so all of them call it or none does.
  const int port = first_port == 0 ? 0 : first_port + LocalRank();
  const double memory = std::min(gan::host::AvailableMemory(), 1e18);  // JSON has no infinity
  const AllReduce all_reduce = MeasureAllReduce(rank, size);
  // C++ evaluates the elements of a braced list in their order, so every rank enters the barriers of SeesProbe at this
  // place.
  const nlohmann::json mine = {{"rank", rank},
                               {"host", std::string(host, static_cast<std::size_t>(length))},
                               {"sees_run_folder", SeesProbe(folder, rank)},
                               {"writes_run_folder", CanWrite(folder, rank)},
                               {"memory_available", memory},
                               {"port", port},
                               {"port_free", PortIsFree(port)},
                               {"all_reduce_right", all_reduce.is_right}};
  const std::vector<std::string> texts = GatherTexts(mine.dump(), size);
  if (rank == 0) {
    nlohmann::ordered_json answer = {{"ranks", nlohmann::json::array()}, {"all_reduce_seconds", all_reduce.seconds}};
    for (const std::string& text : texts) answer["ranks"].push_back(nlohmann::ordered_json::parse(text));
    std::cout << answer.dump() << std::endl;
  }
  MPI_Finalize();
  return 0;
}
