#include "trainer/distributed/sync_batch_norm.h"

#include <torch/autograd.h>

namespace gan::distributed {

namespace {

// Carries the communicator through autograd's graph, which may outlive the module.
struct Holder : torch::CustomClassHolder {
  explicit Holder(std::shared_ptr<Communicator> c) : communicator(std::move(c)) {}
  std::shared_ptr<Communicator> communicator;
};

// A sum over the ranks whose backward is the same sum; calling apply() in backward makes it differentiable again.
class SumFunction : public torch::autograd::Function<SumFunction> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& tensor,
                               const c10::intrusive_ptr<torch::CustomClassHolder>& holder) {
    context->saved_data["communicator"] = c10::IValue::make_capsule(holder);
    // The all-reduce works in place, and autograd does not allow an input to change.
    torch::Tensor sum = tensor.contiguous().clone();
    static_cast<Holder&>(*holder).communicator->AllReduce(sum);
    return sum;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    // The loss of every rank depends on the sum, so the gradient of an input is the sum of the gradients of all ranks'
    // losses.
    const auto holder = context->saved_data["communicator"].toCapsule();
    return {SumFunction::apply(gradients[0], holder), torch::Tensor()};
  }
};

torch::Tensor PerChannel(const torch::Tensor& vector) { return vector.view({1, -1, 1, 1}); }

}  // namespace

torch::Tensor AllReduceSum(const torch::Tensor& tensor, const std::shared_ptr<Communicator>& communicator) {
  return SumFunction::apply(tensor, c10::make_intrusive<Holder>(communicator));
}

SyncBatchNorm2dImpl::SyncBatchNorm2dImpl(const torch::nn::BatchNorm2dImpl& local,
                                         std::shared_ptr<Communicator> communicator)
    : torch::nn::BatchNorm2dImpl(local.options), communicator_(std::move(communicator)) {
  auto mine = named_parameters();
  // Copies, so that the module that this one replaces does not change.
  for (const auto& item : local.named_parameters()) mine[item.key()].set_data(item.value().detach().clone());
  auto my_buffers = named_buffers();
  for (const auto& item : local.named_buffers()) my_buffers[item.key()].set_data(item.value().clone());
}

// The sums are computed in double precision, because the variance is a small difference between large sums.
torch::Tensor SyncBatchNorm2dImpl::forward(const torch::Tensor& input) {
  if (!is_training()) return torch::nn::BatchNorm2dImpl::forward(input);
  // Each rank's variance is taken around its own mean first, which keeps the numbers small, and is then converted to a
  // sum of squares around 0, because such sums of all ranks can be added.
  const auto [local_variance, local_mean] = torch::var_mean(input, {0, 2, 3}, /*unbiased=*/false);
  const torch::Tensor mean64 = local_mean.to(torch::kDouble);
  const torch::Tensor count = torch::full({1}, input.numel() / input.size(1), mean64.options());
  const torch::Tensor sums =
      AllReduceSum(torch::cat({mean64 * count, (local_variance.to(torch::kDouble) + mean64.square()) * count, count}),
                   communicator_);
  const std::int64_t channels = input.size(1);
  const torch::Tensor total = sums[2 * channels];
  const torch::Tensor mean = sums.narrow(0, 0, channels) / total;
  const torch::Tensor variance = sums.narrow(0, channels, channels) / total - mean.square();
  // The biased variance normalises, the unbiased one is stored, as in PyTorch.
  UpdateRunningStatistics(mean, variance, total);
  const torch::Tensor scale = (torch::rsqrt(variance + options.eps())).to(input.scalar_type());
  const torch::Tensor normal = (input - PerChannel(mean.to(input.scalar_type()))) * PerChannel(scale);
  if (!options.affine()) return normal;
  return normal * PerChannel(weight.to(input.scalar_type())) + PerChannel(bias.to(input.scalar_type()));
}

void SyncBatchNorm2dImpl::UpdateRunningStatistics(const torch::Tensor& mean, const torch::Tensor& variance,
                                                  const torch::Tensor& count) {
  if (!options.track_running_stats()) return;
  torch::NoGradGuard no_grad;
  num_batches_tracked += 1;
  const auto average = [&](torch::Tensor& running, const torch::Tensor& now) {
    const torch::Tensor same_type = now.to(running.scalar_type());
    if (options.momentum()) {
      running.lerp_(same_type, *options.momentum());
    } else {
      // A tensor, because reading the counter would make the host wait for all queued work of a GPU.
      running.lerp_(same_type, num_batches_tracked.to(running.scalar_type()).reciprocal());
    }
  };
  average(running_mean, mean);
  average(running_var, variance * count / (count - 1));
}

torch::nn::Sequential WithSyncBatchNorm(const torch::nn::Sequential& layers,
                                        const std::shared_ptr<Communicator>& communicator) {
  torch::nn::Sequential synchronised;
  for (const torch::nn::AnyModule& layer : *layers) {
    const auto norm = std::dynamic_pointer_cast<torch::nn::BatchNorm2dImpl>(layer.ptr());
    if (norm) {
      synchronised->push_back(SyncBatchNorm2d(*norm, communicator));
    } else {
      synchronised->push_back(layer);
    }
  }
  for (const auto& beside : layers->named_children()) {
    // A network may have modules beside its numbered layers, such as the embedding of classes.
    if (!synchronised->named_children().contains(beside.key())) {
      synchronised->register_module(beside.key(), beside.value());
    }
  }
  return synchronised;
}

}  // namespace gan::distributed
