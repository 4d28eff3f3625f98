#include "trainer/quality/gather.h"

namespace gan::quality {

Share ShareOfRank(std::int64_t total, int rank, int ranks) {
  // Even boundaries keep pairs of neighbours on one rank.
  const auto edge = [&](std::int64_t r) { return r == ranks ? total : total / 2 * r / ranks * 2; };
  return {edge(rank), edge(rank + 1) - edge(rank)};
}

// An all-reduce of zeros and rows, because ranks may have different numbers of rows.
torch::Tensor GatherRows(const torch::Tensor& mine, const Share& share, std::int64_t total,
                         distributed::Communicator& communicator) {
  if (communicator.size() == 1) return mine;
  c10::DimVector shape(mine.sizes());
  shape[0] = total;
  // Adding zeros does not change a number, so the sum equals the rows bit for bit.
  torch::Tensor all = torch::zeros(shape, mine.options());
  all.narrow(0, share.first, share.count).copy_(mine);
  communicator.AllReduce(all);
  return all;
}

}  // namespace gan::quality
