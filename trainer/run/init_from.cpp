#include "trainer/run/init_from.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "storage/errors.h"
#include "trainer/model/classes.h"
#include "trainer/model/growth.h"
#include "trainer/run/batches.h"
#include "trainer/run/checkpoint_state.h"
#include "trainer/run/classes_of_run.h"
#include "trainer/run/import_weights.h"
#include "trainer/run/objective_flags.h"
#include "trainer/run/samples.h"

namespace gan::run {

namespace {

// The name in the smaller network of a tensor, and the part of the tensor that the smaller one fills.
struct Source {
  std::function<std::optional<std::string>(const std::string&)> name;
  std::function<torch::Tensor(const std::string&, const torch::Tensor&)> part;
};

// Pairs the names of tensors in the smaller network with the tensors that receive them.
void AddKept(const model::NamedTensors& state, const std::string& prefix, const Source& source,
             model::NamedTensors& kept) {
  for (const auto& [name, target] : state) {
    const std::string mine = name.substr(prefix.size());
    const auto from = source.name(mine);
    if (from) kept.emplace_back(prefix + *from, source.part(mine, target));
  }
}

bool Has(const checkpoint::Checkpoint& saved, const std::string& prefix) {
  return std::any_of(saved.tensors.begin(), saved.tensors.end(),
                     [&](const checkpoint::OwnedTensor& tensor) { return tensor.name.starts_with(prefix); });
}

// The position of each parameter, by which an optimizer stores its step counts.
std::map<std::string, std::int64_t> ParameterOrder(const torch::nn::Module& module) {
  std::map<std::string, std::int64_t> order;
  for (const auto& item : module.named_parameters()) order.emplace(item.key(), std::ssize(order));
  return order;
}

// Restores the number of updates of each kept parameter; new parameters have none.
void RestoreSteps(const checkpoint::Checkpoint& saved, const std::string& name, const torch::nn::Module& small,
                  const torch::nn::Module& large, const Source& source, torch::Tensor target) {
  // Counts are stored by position and not by name, and a grown network has its layers at other positions.
  const std::map<std::string, std::int64_t> small_order = ParameterOrder(small);
  torch::Tensor before = torch::zeros({std::ssize(small_order)}, target.options().device(torch::kCPU));
  RestoreSome(saved, {{name, before}});
  std::int64_t index = 0;
  for (const auto& item : large.named_parameters()) {
    const auto from = source.name(item.key());
    target[index++] = from ? before[small_order.at(*from)] : torch::zeros({}, before.options());
  }
}

// Restores the moments of kept parameters; those of new parameters stay 0.
void RestoreMoments(const checkpoint::Checkpoint& saved, const std::string& prefix, const step::Optimizer& optimizer,
                    const torch::nn::Module& small, const torch::nn::Module& large, const Source& source) {
  model::NamedTensors kept;
  for (const auto& [name, target] : optimizer.NamedState(prefix)) {
    const std::size_t dot = name.find('.', prefix.size());
    if (dot == std::string::npos) {
      RestoreSteps(saved, name, small, large, source, target);
      continue;
    }
    AddKept({{name, target}}, name.substr(0, dot + 1), source, kept);
  }
  RestoreSome(saved, kept);
}

// The layer at the RGB end is not part of the larger network, so it is read separately.
torch::Tensor RgbOf(const checkpoint::Checkpoint& saved, const std::string& prefix, const std::string& name,
                    const torch::nn::Module& small, const torch::Tensor& like) {
  torch::Tensor rgb = torch::empty(small.named_parameters()[name].sizes(), like.options().requires_grad(false));
  RestoreSome(saved, {{prefix + name, rgb}});
  return rgb;
}

// New layers continue the function of the smaller networks (model/growth.h).
void ContinueAtTheRgbEnd(const checkpoint::Checkpoint& saved, const model::NetworkOptions& small,
                         const torch::nn::Module& small_g, const torch::nn::Module& small_d, step::Gan& gan) {
  // Enough images for stable batch statistics.
  constexpr std::uint64_t kPictures = 64;
  const torch::Tensor like = gan.generator->parameters()[0];
  const torch::Tensor latents =
      FixedLatents(0, kPictures, gan.options.network.noise_dim, like.device()).to(like.scalar_type());
  torch::Tensor classes = DrawClasses(gan.classes, 0, data::Stream::kFixedLatents, 0, kPictures, like.device());
  if (classes.defined()) classes = classes.to(like.scalar_type());
  const auto g_rgb = RgbOf(saved, "generator.", model::RgbOfGenerator(small), small_g, like);
  if (!model::ContinueGenerator(gan.generator, g_rgb, model::GeneratorInput(gan.generator, latents, classes)) ||
      small.spectral_norm)
    return;
  const auto d_rgb = RgbOf(saved, "discriminator.", model::kRgbOfDiscriminator, small_d, like);
  // D's new norms are set from G's enlarged images, since the data set is not available here.
  model::ContinueDiscriminator(gan.discriminator, d_rgb, Generate(gan.generator, latents, classes));
}

}  // namespace

void InitFrom(const checkpoint::Checkpoint& saved, step::Gan& gan) {
  torch::NoGradGuard no_grad;
  RequireSameClasses(saved.state, gan.classes, saved.folder);
  model::NetworkOptions small = NetworkFromJson(saved.state.at("options"));
  small.classes = std::ssize(saved.state.value("classes", nlohmann::json::array()));
  const model::NetworkOptions& large = gan.options.network;
  model::RequireGrowable(small, large);
  const Source g_source = {[&](const std::string& name) { return model::GeneratorSource(name, small, large); },
                           [&](const std::string& name, const torch::Tensor& tensor) {
                             return model::GeneratorPart(name, tensor, small, large);
                           }};
  const Source d_source = {[&](const std::string& name) { return model::DiscriminatorSource(name, small, large); },
                           [](const std::string&, const torch::Tensor& tensor) { return tensor; }};
  model::NamedTensors kept;
  AddKept(model::NamedState(*gan.generator, "generator."), "generator.", g_source, kept);
  AddKept(model::NamedState(*gan.discriminator, "discriminator."), "discriminator.", d_source, kept);
  RestoreSome(saved, kept);
  // Before the RGB ends are continued, since that runs the networks, which must already compute their final function.
  if (large.classes > 0 && small.classes == 0) model::BeginClasses(gan.generator, gan.discriminator, large);
  const auto small_g = model::MakeGenerator(small), small_d = model::MakeDiscriminator(small);
  // The method of growth.h covers one doubling of the resolution.
  if (large.resolution == 2 * small.resolution) ContinueAtTheRgbEnd(saved, small, *small_g, *small_d, gan);
  RestoreMoments(saved, "generator_adam.", gan.generator_optimizer, *small_g, *gan.generator, g_source);
  RestoreMoments(saved, "discriminator_adam.", gan.discriminator_optimizer, *small_d, *gan.discriminator, d_source);
  // The average restarts from the new weights; the kept layers then get their saved averages.
  gan.ema = step::Ema(*gan.generator, gan.options.ema_half_life_images);
  if (!Has(saved, "generator_ema.")) return;
  model::NamedTensors averages;
  AddKept(gan.ema.NamedState("generator_ema."), "generator_ema.", g_source, averages);
  RestoreSome(saved, averages);
}

std::string StartFrom(const std::filesystem::path& source, step::Gan& gan) {
  if (!std::filesystem::is_directory(source)) return ImportWeights(source, gan);
  InitFrom(checkpoint::Load(source), gan);
  return "networks taken from " + source.string();
}

}  // namespace gan::run
