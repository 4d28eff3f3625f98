// One training step for each of a list of objectives, from a seeded state on seeded data: what losses_test.py needs to
// do the same in PyTorch. Ranks share the same joined batch. Usage: [mpirun -np N] losses_dump FOLDER CASES.json
#include <torch/utils.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "checkpoint/safetensors.h"
#include "storage/files.h"
#include "trainer/data/sampler.h"
#include "trainer/loss/adversarial.h"
#include "trainer/model/classes.h"
#include "trainer/run/checkpoint_state.h"
#include "trainer/step/train_step.h"

namespace {

using gan::model::NamedTensors;

constexpr std::int64_t kJoinedBatch = 8;
constexpr std::uint64_t kSeed = 5;
constexpr std::size_t kClasses = 3;

void Write(const std::string& path, const NamedTensors& tensors) {
  const gan::run::Snapshot snapshot(tensors);
  gan::storage::AtomicFile file(path);
  file.Append(gan::checkpoint::EncodeHeader(snapshot.views()));
  for (const auto& view : snapshot.views()) {
    if (view.settle) view.settle();
    file.Append(view.data);
  }
  file.Commit();
}

gan::loss::Kind KindOf(const std::string& name) {
  for (const gan::loss::AdversarialLoss* loss : gan::loss::kAdversarialLosses) {
    if (loss->name == name) return loss->kind;
  }
  throw std::invalid_argument("no loss is called " + name);
}

gan::step::GanOptions OptionsOf(const nlohmann::json& c, int ranks) {
  gan::step::GanOptions options;
  options.network = {.resolution = 64, .features = 4, .noise_dim = 16};
  options.network.classes = c.at("classes") ? kClasses : 0;
  options.network.d_norm = static_cast<gan::model::Norm>(c.at("norm").get<int>());
  options.network.spectral_norm = c.at("spectral");
  // Our convolutions sum in another order than PyTorch's, which shows in single precision (pytorch_test.py).
  options.network.convolutions =
      c.at("double") ? gan::model::ConvolutionPath::kAuto : gan::model::ConvolutionPath::kTorch;
  options.precision = c.at("double") ? gan::step::Precision::kFp64 : gan::step::Precision::kFp32;
  options.ema_half_life_images = 0;
  options.sync_batch_norm = ranks > 1;  // so that no norm sees another batch than one rank does
  options.loss.kind = KindOf(c.at("loss").get<std::string>());
  options.loss.r1 = c.at("r1");
  options.loss.r2 = c.at("r2");
  options.loss.penalty_every = c.at("every");
  options.loss.feature_matching = c.at("feature_matching");
  options.loss.perceptual = c.at("perceptual");
  options.loss.perceptual_file = c.at("extractor");
  return options;
}

// Standard normal, the same for any number of ranks; this rank's rows.
torch::Tensor Mine(const std::vector<std::int64_t>& row, std::uint64_t what, const gan::distributed::World& world,
                   torch::ScalarType type) {
  std::vector<std::int64_t> shape = {kJoinedBatch};
  shape.insert(shape.end(), row.begin(), row.end());
  torch::Tensor all = torch::empty(shape);
  gan::data::FillNormal(all.data_ptr<float>(), static_cast<std::uint64_t>(all.numel()), kSeed,
                        gan::data::Stream::kLatentD, what, 0);
  const std::int64_t rows = kJoinedBatch / world.size;
  return all.narrow(0, world.rank * rows, rows).to(type);
}

// Classes of the joined batch, different ones for real and generated images; this rank's part.
torch::Tensor ClassesOf(std::uint64_t what, std::uint64_t first, std::int64_t count) {
  std::vector<std::uint32_t> classes;
  for (std::uint64_t i = first; i < first + static_cast<std::uint64_t>(count); ++i) {
    classes.push_back(static_cast<std::uint32_t>((i * (1 + what) + what) % kClasses));
  }
  return gan::model::OneHot(classes, kClasses);
}

void RunCase(const nlohmann::json& c, const std::string& folder, const gan::distributed::World& world,
             const std::shared_ptr<gan::distributed::Communicator>& communicator) {
  gan::step::Gan gan(OptionsOf(c, world.size), torch::kCPU, kSeed, communicator);
  if (gan.options.loss.perceptual > 0) {
    gan.extractor = std::make_shared<gan::loss::FeatureExtractor>(gan.options.loss.perceptual_file, torch::kCPU);
  }
  if (c.at("frozen")) gan.generator->eval();
  const std::string mine = folder + "/" + c.at("name").get<std::string>() + "-" + std::to_string(world.rank) + "-";
  const auto type = gan.generator->parameters()[0].scalar_type();
  const std::int64_t rows = kJoinedBatch / world.size;
  const auto first = static_cast<std::uint64_t>(world.rank * rows);
  gan::step::Batch batch = {torch::tanh(Mine({3, 64, 64}, 0, world, type)), Mine({16, 1, 1}, 1, world, type)};
  batch.draws = gan::step::DrawsOf(kSeed, first, rows, torch::kCPU);
  NamedTensors shown = {{"real", batch.real}, {"latents", batch.latents}, {"mix", batch.draws.mix}};
  if (c.at("classes")) {
    batch.real_classes = ClassesOf(0, first, rows).to(type);
    batch.fake_classes = ClassesOf(1, first, rows).to(type);
    shown.emplace_back("real_classes", batch.real_classes.argmax(1));
    shown.emplace_back("fake_classes", batch.fake_classes.argmax(1));
  }
  Write(mine + "before.safetensors", gan.NamedState());
  Write(mine + "batch.safetensors", shown);
  gan::step::StepPlan plan;
  plan.loss = gan.options.loss;
  const gan::step::StepResult result = gan::step::TrainStep(gan, plan, {.lr_d = c.at("lr_d")}, [&] { return batch; });
  NamedTensors gradients;
  for (const auto& item : gan.generator->named_parameters()) {
    gradients.emplace_back("generator." + item.key(), item.value().grad());
  }
  for (const auto& item : gan.discriminator->named_parameters()) {
    gradients.emplace_back("discriminator." + item.key(), item.value().grad());
  }
  Write(mine + "gradients.safetensors", gradients);
  const nlohmann::json losses = {{"d", result.loss_d_real + result.loss_d_fake},
                                 {"penalty", result.penalty},
                                 {"g", result.loss_g},
                                 {"matching", result.matching}};
  gan::storage::WriteFileAtomically(mine + "losses.json", losses.dump());
}

}  // namespace

int main(int argc, char** argv) {
  gan::distributed::Environment environment(&argc, &argv);
  torch::set_num_threads(1);
  const auto communicator = gan::distributed::Communicator::Create(environment.world(), "gradients");
  const nlohmann::json cases = nlohmann::json::parse(std::ifstream(argv[2]));
  for (const nlohmann::json& c : cases) RunCase(c, argv[1], environment.world(), communicator);
  return 0;
}
