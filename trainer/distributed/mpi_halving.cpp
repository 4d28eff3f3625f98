// The all-reduce of MpiBackend for large sums.
#include <ATen/ops/empty.h>

#include <algorithm>
#include <utility>

#include "trainer/distributed/mpi_backend.h"

namespace gan::distributed {

namespace {

// The size of slices that are still in the cache when they are used a second time.
constexpr std::int64_t kCachedElements = 1 << 15;

// Computes sum = (sum + addend) / divisor.
void Add(const at::Tensor& sum, const at::Tensor& addend, int divisor) {
  for (std::int64_t at = 0; at < sum.numel(); at += kCachedElements) {
    const std::int64_t count = std::min(kCachedElements, sum.numel() - at);
    at::Tensor slice = sum.narrow(0, at, count);
    slice.add_(addend.narrow(0, at, count));
    if (divisor != 1) slice.div_(divisor);
  }
}

}  // namespace

void MpiBackend::Swap(const MpiCall& call, MPI_Datatype type, int peer, const std::vector<at::Tensor>& give,
                      const std::vector<at::Tensor>& take) {
  std::vector<at::Tensor> buffers = give;
  buffers.insert(buffers.end(), take.begin(), take.end());
  // All receives and sends are started before any of them is waited for, so that two peers cannot block each other.
  calls_.Complete(call, MpiCalls::WaitFor::kTransfer, buffers, [&](MpiRequests& requests) {
    for (const at::Tensor& tensor : take) {
      const int error = MPI_Irecv(tensor.mutable_data_ptr(), static_cast<int>(tensor.numel()), type, peer, /*tag=*/0,
                                  calls_.communicator(), requests.New());
      if (error != MPI_SUCCESS) return error;
    }
    for (const at::Tensor& tensor : give) {
      const int error = MPI_Isend(tensor.const_data_ptr(), static_cast<int>(tensor.numel()), type, peer, /*tag=*/0,
                                  calls_.communicator(), requests.New());
      if (error != MPI_SUCCESS) return error;
    }
    return MPI_SUCCESS;
  });
}

// Recursive halving and doubling (Thakur, Rabenseifner and Gropp, "Optimization of collective communication operations
// in MPICH", 2005). Each rank of a pair adds one half and sends the result back, so that both work all the time; a tree
// would send the whole buffer to one rank, add there and send it back. Neighbours are combined first, which is the
// order of the binomial tree.
void MpiBackend::ReduceByHalving(const MpiCall& call, const TensorRow& row, Part part, MPI_Datatype type,
                                 bool average) {
  const at::Tensor received = at::empty({(part.size() + 1) / 2}, row.tensors()[0].options());
  // The first loop halves the part that this rank is responsible for, the second one collects the finished parts.
  std::vector<Part> parts = {part};
  for (int distance = 1; distance < getSize(); distance *= 2) {
    const Part all = parts.back();
    const std::int64_t middle = all.begin + all.size() / 2;
    Part keep = {all.begin, middle}, give = {middle, all.end};
    // Both ranks of a pair cut at the same place; the one with the bit set keeps the upper half.
    if ((getRank() & distance) != 0) std::swap(keep, give);
    const std::vector<at::Tensor> mine = row.Pieces(keep);
    const std::vector<at::Tensor> theirs = CutLike(received, mine);
    Swap(call, type, getRank() ^ distance, row.Pieces(give), theirs);
    // Divided after the last sum, as with Open MPI's tree, so that the bits are equal.
    const bool last = 2 * distance == getSize();
    for (std::size_t i = 0; i < mine.size(); ++i) Add(mine[i], theirs[i], last && average ? getSize() : 1);
    parts.push_back(keep);
  }
  // The way back, with the pairs in reverse order: each exchange doubles the finished part.
  for (int distance = getSize() / 2; distance >= 1; distance /= 2) {
    const Part mine = parts.back();
    parts.pop_back();
    const Part all = parts.back();
    const Part rest = mine.begin == all.begin ? Part{mine.end, all.end} : Part{all.begin, mine.begin};
    Swap(call, type, getRank() ^ distance, row.Pieces(mine), row.Pieces(rest));
  }
}

}  // namespace gan::distributed
