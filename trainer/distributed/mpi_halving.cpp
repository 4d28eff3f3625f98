// Large sums of MpiBackend.
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <utility>

#include "trainer/distributed/mpi_backend.h"

namespace gan::distributed {

void MpiBackend::Swap(const Call& call, const std::vector<at::Tensor>& buffers, const Exchange& exchange) {
  MPI_Request sending = MPI_REQUEST_NULL;
  Complete(call, WaitFor::kTransfer, buffers, [&](MPI_Request* request) {
    const int error = MPI_Isend(exchange.give, static_cast<int>(exchange.give_count), exchange.type, exchange.peer,
                                /*tag=*/0, communicator_, &sending);
    if (error != MPI_SUCCESS) return error;
    return MPI_Irecv(exchange.take, static_cast<int>(exchange.take_count), exchange.type, exchange.peer, /*tag=*/0,
                     communicator_, request);
  });
  Complete(call, WaitFor::kTransfer, buffers, [&](MPI_Request* request) {
    *request = sending;
    return MPI_SUCCESS;
  });
}

// Recursive halving and doubling (Thakur, Rabenseifner and Gropp, "Optimization of collective communication operations
// in MPICH", 2005): of two ranks each sums one half and hands it back, so that both work all the time, where a tree
// sends the whole buffer up, sums it on one rank and sends it down. Neighbours come first: every number is summed in
// the order of the binomial tree.
void MpiBackend::SumByHalving(const Call& call, const at::Tensor& tensor, MPI_Datatype type, std::byte* data,
                              std::int64_t count) {
  const auto place = [&](std::int64_t element) {
    return data + static_cast<std::size_t>(element) * tensor.element_size();
  };
  const at::Tensor theirs = at::empty({(count + 1) / 2}, tensor.options().requires_grad(false));
  std::vector<Part> parts = {{0, count}};
  for (int distance = 1; distance < getSize(); distance *= 2) {
    const Part all = parts.back();
    const std::int64_t middle = all.begin + all.size() / 2;
    Part keep = {all.begin, middle}, give = {middle, all.end};
    if ((getRank() & distance) != 0) std::swap(keep, give);
    Swap(call, {tensor, theirs},
         {type, place(give.begin), give.size(), theirs.mutable_data_ptr(), keep.size(), getRank() ^ distance});
    at::from_blob(place(keep.begin), {keep.size()}, theirs.options()).add_(theirs.narrow(0, 0, keep.size()));
    parts.push_back(keep);
  }
  for (int distance = getSize() / 2; distance >= 1; distance /= 2) {
    const Part mine = parts.back();
    parts.pop_back();
    const Part all = parts.back();
    const Part rest = mine.begin == all.begin ? Part{mine.end, all.end} : Part{all.begin, mine.begin};
    Swap(call, {tensor}, {type, place(mine.begin), mine.size(), place(rest.begin), rest.size(), getRank() ^ distance});
  }
}

}  // namespace gan::distributed
