#include "trainer/distributed/gradient_sync.h"

#include <torch/utils.h>

#include <torch/csrc/distributed/c10d/reducer.hpp>

#include <cmath>
#include <string>
#include <unordered_map>

#include "trainer/distributed/tensor_average.h"

namespace gan::distributed {

// The only user of c10d::Reducer's constructor, which differs between versions of LibTorch. The Reducer gets the
// parameters in the order in which the backward reaches them, and rebuilds its buckets in that order before the first
// backward. By default it would rebuild them after the first step, which changes the order of summation: with more than
// two ranks, a resumed run would then differ from the uninterrupted one in the last bit. Without any rebuilding, it
// would record every parameter of every backward without end.
struct GradientSync::Buckets {
  Buckets(const std::vector<at::Tensor>& parameters, const Communicator& communicator, std::int64_t bucket_bytes) {
    // The backward reaches the last layer first, so the first bucket is complete soon.
    const std::vector<at::Tensor> backwards(parameters.rbegin(), parameters.rend());
    const std::vector<bool> dense(backwards.size(), false);
    const auto indices = std::get<0>(
        c10d::compute_bucket_assignment_by_size(backwards, {static_cast<std::size_t>(bucket_bytes)}, dense, {}, {}));
    reducer = std::make_unique<c10d::Reducer>(
        backwards, indices, communicator.process_group(), dense, bucket_bytes, /*find_unused_parameters=*/false,
        /*gradient_as_bucket_view=*/false, std::unordered_map<std::size_t, std::string>{}, bucket_bytes,
        /*skip_all_reduce_unused_params=*/false, /*use_python_reducer=*/false, std::vector<std::int64_t>{});
    reducer->push_rebuilt_params_for_all_indices();
    reducer->rebuild_buckets();
  }
  std::unique_ptr<c10d::Reducer> reducer;
};

namespace {

// See SyncPath: the default is the faster path in measurements.
SyncPath Resolve(SyncPath path, const at::Tensor& parameter) {
  if (path != SyncPath::kAuto) return path;
  return parameter.is_cuda() ? SyncPath::kBucketed : SyncPath::kFlat;
}

std::vector<at::Tensor> GradientsOf(const std::vector<at::Tensor>& parameters) {
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& parameter : parameters) {
    // The Reducer reduces a bucket only when it has all of its gradients, so a missing gradient must be an error.
    if (!parameter.grad().defined())
      throw CommunicationError("a parameter has no gradient: the loss does not depend on it");
    gradients.push_back(parameter.grad());
  }
  return gradients;
}

}  // namespace

double SyncResult::gradient_norm() const { return norm.item<double>(); }

bool SyncResult::finite() const { return std::isfinite(gradient_norm()); }

GradientSync::GradientSync(std::vector<at::Tensor> parameters, std::shared_ptr<Communicator> communicator,
                           const GradientSyncOptions& options)
    : parameters_(std::move(parameters)), communicator_(std::move(communicator)) {
  if (parameters_.empty()) throw CommunicationError("a module without parameters has no gradients to synchronise");
  if (communicator_->size() > 1 && Resolve(options.path, parameters_[0]) == SyncPath::kBucketed) {
    buckets_ = std::make_unique<Buckets>(parameters_, *communicator_, options.bucket_bytes);
  }
}

GradientSync::~GradientSync() = default;
GradientSync::GradientSync(GradientSync&&) noexcept = default;
GradientSync& GradientSync::operator=(GradientSync&&) noexcept = default;

// In the bucketed path the Reducer's hooks all-reduce during the backward; in the flat path the average is computed
// after it.
SyncResult GradientSync::Backward(const at::Tensor& loss) {
  if (buckets_) buckets_->reducer->prepare_for_backward({loss});
  loss.backward();
  torch::NoGradGuard no_grad;
  const std::vector<at::Tensor> gradients = GradientsOf(parameters_);
  if (buckets_ && !gradients[0].is_cpu()) {
    for (const at::Tensor& gradient : gradients) communicator_->CountSent(gradient.nbytes());
  }
  return {.norm = buckets_ ? NormOf(gradients) : AverageOverRanks(gradients, *communicator_)};
}

// Without prepare_for_backward the Reducer's hooks do nothing, so nothing is reduced before the last micro-batch.
void GradientSync::Accumulate(const at::Tensor& loss) { loss.backward(); }

}  // namespace gan::distributed
