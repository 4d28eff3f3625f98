#include "trainer/distributed/replicas.h"

#include <ATen/ATen.h>

#include <span>

#include "storage/checksum.h"

namespace gan::distributed {

std::string DigestOf(const std::vector<at::Tensor>& tensors) {
  // Bytes are compared instead of values: they must be identical, including the sign of zeros and NaN.
  storage::Digest digest;
  for (const at::Tensor& tensor : tensors) {
    // Row-major, so that replicas in different memory orders count as equal.
    const at::Tensor bytes = tensor.detach().to(at::kCPU).contiguous();
    const auto* data = static_cast<const std::byte*>(bytes.const_data_ptr());
    digest.Update({data, static_cast<std::size_t>(bytes.numel()) * bytes.element_size()});
  }
  return digest.Text();
}

void RequireEqualReplicas(const std::vector<at::Tensor>& tensors, Communicator& communicator, const std::string& what) {
  if (communicator.size() == 1) return;
  const std::vector<std::string> digests = communicator.AllGather(DigestOf(tensors));
  for (std::size_t rank = 1; rank < digests.size(); ++rank) {
    if (digests[rank] == digests[0]) continue;
    throw CommunicationError("rank " + std::to_string(rank) + " and rank 0 differ in " + what +
                             ": the replicas differ");
  }
}

}  // namespace gan::distributed
