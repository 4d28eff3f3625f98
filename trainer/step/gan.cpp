#include "trainer/step/gan.h"

#include <ATen/autocast_mode.h>

#include "storage/errors.h"
#include "trainer/distributed/sync_batch_norm.h"
#include "trainer/model/classes.h"
#include "trainer/model/widen.h"

namespace gan::step {

namespace {

model::NamedTensors Joined(std::initializer_list<model::NamedTensors> lists) {
  model::NamedTensors all;
  for (const auto& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

// One list for both networks, so that one all-reduce averages all of them.
std::vector<torch::Tensor> AllStatistics(torch::nn::Sequential& generator, torch::nn::Sequential& discriminator) {
  std::vector<torch::Tensor> statistics = model::RunningStatistics(*generator);
  for (torch::Tensor& tensor : model::RunningStatistics(*discriminator)) statistics.push_back(tensor);
  return statistics;
}

// Enables bfloat16 for convolutions and matrix products in its scope. Scopes may be nested; a weight is converted once
// for the outermost one.
class Autocast {
 public:
  Autocast(Precision precision, torch::Device device) : type_(device.type()), active_(precision == Precision::kBf16) {
    if (!active_) return;
    at::autocast::increment_nesting();
    at::autocast::set_autocast_enabled(type_, true);
    at::autocast::set_autocast_dtype(type_, torch::kBFloat16);
  }
  ~Autocast() {
    if (!active_) return;
    if (at::autocast::decrement_nesting() > 0) return;
    // The cache holds weights in bfloat16. The optimizer changes the originals, so it must not outlive the scope.
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(type_, false);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  c10::DeviceType type_;
  bool active_;
};

torch::nn::Sequential Prepared(torch::nn::Sequential module, const GanOptions& options, torch::Device device,
                               const std::shared_ptr<distributed::Communicator>& communicator) {
  // Batch norms are replaced before the parameters move, because the new layers copy them.
  if (options.sync_batch_norm) module = distributed::WithSyncBatchNorm(module, communicator);
  module->to(device);
  if (options.precision == Precision::kFp64) model::ConvertFloatingPoint(*module, torch::kDouble);
  if (options.UsesChannelsLast()) {
    for (torch::Tensor& parameter : module->parameters()) {
      if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
    }
  }
  return module;
}

torch::ScalarType TypeOf(Precision precision) { return precision == Precision::kFp64 ? torch::kDouble : torch::kFloat; }

}  // namespace

Gan::Gan(const GanOptions& made_of, torch::Device home, std::uint64_t seed,
         const std::shared_ptr<distributed::Communicator>& ranks)
    : options(made_of),
      device(home),
      communicator(ranks),
      generator(Prepared(model::MakeGenerator(options.network), options, device, communicator)),
      discriminator(Prepared(model::MakeDiscriminator(options.network), options, device, communicator)),
      generator_optimizer(generator->named_parameters(), options.adam),
      discriminator_optimizer(discriminator->named_parameters(), options.adam),
      generator_sync(generator->parameters(), communicator, options.gradients),
      discriminator_sync(discriminator->parameters(), communicator, options.gradients),
      statistics(AllStatistics(generator, discriminator)),
      ema(*generator, options.ema_half_life_images) {
  // The weights are set after the optimizers and averages were created; only the average has copied them and must be
  // created again.
  model::InitialiseWeights(*generator, seed, 0);
  model::InitialiseWeights(*discriminator, seed, 1);
  ema = Ema(*generator, options.ema_half_life_images);
}

model::NamedTensors Gan::NamedState() const {
  return Joined({model::NamedState(*generator, "generator."), model::NamedState(*discriminator, "discriminator."),
                 ema.NamedState("generator_ema."), generator_optimizer.NamedState("generator_adam."),
                 discriminator_optimizer.NamedState("discriminator_adam.")});
}

torch::Tensor Fakes(Gan& gan, const torch::Tensor& latents, const torch::Tensor& classes) {
  const Autocast autocast(gan.options.precision, latents.device());
  return gan.generator->forward(model::GeneratorInput(gan.generator, latents, classes));
}

torch::Tensor Logits(Gan& gan, const torch::Tensor& images, const torch::Tensor& classes) {
  const Autocast autocast(gan.options.precision, images.device());
  return model::Discriminate(gan.discriminator, images, classes).to(TypeOf(gan.options.precision));
}

// Where our own convolutions run, both batches pass D at once, which reads its weights once. PyTorch's bits need two
// passes, and so does spectral normalisation, whose estimate moves in each of them.
LogitsOfBoth Logits(Gan& gan, const Labelled& real, const Labelled& fake) {
  const Autocast autocast(gan.options.precision, real.images.device());
  const model::NetworkOptions& network = gan.options.network;
  const bool both_at_once = gan.device.is_cpu() && network.convolutions == model::ConvolutionPath::kAuto;
  if (!both_at_once || network.spectral_norm) {
    return {.real = Logits(gan, real.images, real.classes), .fake = Logits(gan, fake.images, fake.classes)};
  }
  const auto [of_real, of_fake] = model::DiscriminateBoth(gan.discriminator, real, fake);
  const torch::ScalarType type = TypeOf(gan.options.precision);
  return {.real = of_real.to(type), .fake = of_fake.to(type)};
}

model::DiscriminatorOutput OutputAndFeatures(Gan& gan, const torch::Tensor& images, const torch::Tensor& classes) {
  const Autocast autocast(gan.options.precision, images.device());
  model::DiscriminatorOutput output = model::DiscriminateWithFeatures(gan.discriminator, images, classes);
  output.logits = output.logits.to(TypeOf(gan.options.precision));
  return output;
}

// The counter keeps the random numbers of successive widenings apart.
void WidenDiscriminator(Gan& gan, std::int64_t width, std::uint64_t seed) {
  model::NetworkOptions& network = gan.options.network;
  if (width == network.d_width) return;
  if (width < network.d_width || width % network.d_width != 0) {
    throw UsageError("--widen-d " + std::to_string(width) + ": D is " + std::to_string(network.d_width) +
                     " times as wide as the rule already; only a multiple of that can follow");
  }
  if (network.spectral_norm)
    throw UsageError("--widen-d: spectral normalisation would change what the wider D computes");
  // The old D is kept until its weights are copied.
  const torch::nn::Sequential narrow = gan.discriminator;
  const auto counter = static_cast<std::uint64_t>(network.d_width);
  network.d_width = width;
  gan.discriminator = Prepared(model::MakeDiscriminator(network), gan.options, gan.device, gan.communicator);
  model::Widen(*narrow, *gan.discriminator, seed, counter);
  // The moments of the narrow D do not fit the wide one.
  gan.discriminator_optimizer = Optimizer(gan.discriminator->named_parameters(), gan.options.adam);
  // The hooks of the old synchronisation and the list of statistics belong to the tensors of the narrow D.
  gan.discriminator_sync =
      distributed::GradientSync(gan.discriminator->parameters(), gan.communicator, gan.options.gradients);
  gan.statistics = AllStatistics(gan.generator, gan.discriminator);
}

// The tensors are overwritten in place, so that everything that shares them stays valid.
void RestartDiscriminator(Gan& gan, std::uint64_t seed) {
  torch::NoGradGuard no_grad;
  // The caller gives another seed for each restart; with the run's own, D would begin like the one that won.
  model::InitialiseWeights(*gan.discriminator, seed, 1);
  for (auto& buffer : gan.discriminator->named_buffers()) {
    if (buffer.key().ends_with("running_mean")) buffer.value().zero_();
    if (buffer.key().ends_with("running_var")) buffer.value().fill_(1);
  }
  gan.discriminator_optimizer = Optimizer(gan.discriminator->named_parameters(), gan.options.adam);
}

}  // namespace gan::step
