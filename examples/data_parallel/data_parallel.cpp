// Data-parallel training of any LibTorch module: here a small classifier that learns which of two noisy rings a point
// lies on. mpirun -np 4 data_parallel
#include <torch/torch.h>

#include <iostream>

#include "trainer/distributed/communicator.h"
#include "trainer/distributed/gradient_sync.h"
#include "trainer/distributed/replicas.h"

namespace {

struct Points {
  torch::Tensor where;  // [N, 2]
  torch::Tensor ring;   // [N, 1], 0 or 1
};

Points NextPoints(int rank, int step) {
  torch::manual_seed(1000 * step + rank);  // every rank has its own data
  const torch::Tensor ring = torch::randint(0, 2, {64, 1}, torch::kFloat);
  const torch::Tensor angle = torch::rand({64, 1}) * 6.2832;
  const torch::Tensor radius = 1 + ring + 0.1 * torch::randn({64, 1});
  return {torch::cat({radius * angle.cos(), radius * angle.sin()}, 1), ring};
}

}  // namespace

int main(int argc, char** argv) try {
  gan::distributed::Environment environment(&argc, &argv);
  const auto ranks = gan::distributed::Communicator::Create(environment.world(), "gradients");

  torch::manual_seed(7 + ranks->rank());
  torch::nn::Sequential model(torch::nn::Linear(2, 32), torch::nn::Tanh(), torch::nn::Linear(32, 1));
  for (torch::Tensor& parameter : model->parameters()) {  // all start from rank 0's weights
    torch::NoGradGuard no_grad;
    ranks->Broadcast(parameter);
  }
  torch::optim::Adam adam(model->parameters(), 1e-2);
  gan::distributed::GradientSync sync(model->parameters(), ranks);

  double loss = 0;
  for (int step = 0; step < 200; ++step) {
    const Points points = NextPoints(ranks->rank(), step);
    adam.zero_grad();
    const torch::Tensor mine = torch::binary_cross_entropy_with_logits(model->forward(points.where), points.ring);
    sync.Backward(mine);  // in place of mine.backward(): gradients are averaged over the ranks when it returns
    adam.step();
    loss = mine.item<double>();
  }
  gan::distributed::RequireEqualReplicas(model->parameters(), *ranks, "weights");
  if (ranks->rank() == 0) std::cout << ranks->size() << " ranks, loss " << loss << '\n';
  return loss < 0.1 ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
