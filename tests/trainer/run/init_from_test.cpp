// Growth of a whole training state: weights, statistics, averages and moments of kept layers, bit for bit.
#include "trainer/run/init_from.h"

#include <gtest/gtest.h>
#include <torch/nn.h>

#include <cstring>
#include <map>

#include "storage/errors.h"
#include "tests/trainer/distributed/mpi_world.h"
#include "trainer/model/growth.h"
#include "trainer/run/classes_of_run.h"
#include "trainer/step/train_step.h"

namespace gan::run {
namespace {

step::GanOptions At(std::int64_t resolution, std::int64_t features) {
  step::GanOptions options;
  options.network = {.resolution = resolution, .features = features, .noise_dim = 16};
  options.network.d_norm = features == 2 ? model::Norm::kBatch : model::Norm::kNone;
  return options;
}

step::Gan NewGan(std::int64_t resolution, std::uint64_t seed, std::int64_t features = 2) {
  return {At(resolution, features), torch::kCPU, seed,
          distributed::Communicator::Create(distributed::TestWorld(), "gradients")};
}

step::Gan TrainedAt64(std::int64_t features = 2) {
  step::Gan gan = NewGan(64, 1, features);
  torch::manual_seed(1);
  for (int i = 1; i <= 3; ++i) {
    step::TrainStep(gan, {}, {}, [] {
      return step::Batch{torch::rand({4, 3, 64, 64}) * 2 - 1, torch::randn({4, 16, 1, 1})};
    });
    gan.ema.Update(*gan.generator, 4, 4 * static_cast<std::uint64_t>(i));
  }
  return gan;
}

data::Classes Classes(const std::vector<std::string>& names) {
  std::vector<data::ClassInfo> classes;
  for (const std::string& name : names) classes.push_back({name, 10});
  return {classes, data::ClassSampling::kData};
}

step::Gan NewConditional(std::int64_t resolution, std::uint64_t seed, const data::Classes& classes,
                         std::int64_t features = 2) {
  step::Gan gan(WithClasses(At(resolution, features), classes), torch::kCPU, seed,
                distributed::Communicator::Create(distributed::TestWorld(), "gradients"));
  gan.classes = classes;
  return gan;
}

torch::Tensor AllOf(std::int64_t one, std::int64_t count, std::int64_t classes) {
  return torch::one_hot(torch::full({count}, one, torch::kLong), classes).to(torch::kFloat);
}

checkpoint::Checkpoint Saved(const step::Gan& gan) {
  checkpoint::Checkpoint saved;
  saved.state = {{"options",
                  {{"resolution", gan.options.network.resolution},
                   {"features", gan.options.network.features},
                   {"noise_dim", 16},
                   {"d_norm", gan.options.network.d_norm == model::Norm::kNone ? "none" : "batch"}}}};
  if (!gan.classes.empty()) saved.state["classes"] = ToJson(gan.classes);
  for (const auto& [name, tensor] : gan.NamedState()) {
    const torch::Tensor whole = tensor.detach().contiguous();
    checkpoint::OwnedTensor owned{name, whole.scalar_type() == torch::kLong ? "I64" : "F32", whole.sizes().vec(), {}};
    owned.data.resize(static_cast<std::size_t>(whole.numel()) * whole.element_size());
    std::memcpy(owned.data.data(), whole.const_data_ptr(), owned.data.size());
    saved.tensors.push_back(std::move(owned));
  }
  return saved;
}

std::map<std::string, torch::Tensor> ByName(const step::Gan& gan) {
  std::map<std::string, torch::Tensor> tensors;
  for (const auto& [name, tensor] : gan.NamedState()) tensors[name] = tensor.detach();
  return tensors;
}

void ExpectEqual(const std::map<std::string, torch::Tensor>& a, const std::string& name,
                 const std::map<std::string, torch::Tensor>& b, const std::string& source) {
  EXPECT_TRUE(torch::equal(a.at(name), b.at(source))) << name << " from " << source;
}

// The state that the optimizer keeps for each parameter: "generator_adam.exp_avg." and so on.
std::vector<std::string> Moments(const step::Gan& gan, const std::string& network) {
  const std::string prefix = network + "_adam.", parameter = "0.weight";
  std::vector<std::string> moments;
  for (const auto& [name, tensor] : gan.NamedState()) {
    const std::size_t dot = name.find('.', prefix.size());
    if (!name.starts_with(prefix) || dot == std::string::npos || name.substr(dot + 1) != parameter) continue;
    moments.push_back(name.substr(0, dot + 1));
  }
  EXPECT_FALSE(moments.empty());
  return moments;
}

std::vector<std::string> With(std::vector<std::string> more, std::vector<std::string> moments) {
  moments.insert(moments.end(), more.begin(), more.end());
  return moments;
}

TEST(InitFrom, KeptLayersAreBitEqualWithMomentsAndAverages) {
  const step::Gan small = TrainedAt64();
  step::Gan large = NewGan(128, 2);
  InitFrom(Saved(small), large);
  const auto before = ByName(small), after = ByName(large);
  for (const std::string& kind : With({"generator.", "generator_ema."}, Moments(large, "generator"))) {
    for (const char* layer : {"0.weight", "9.weight", "10.bias"}) {
      ExpectEqual(after, kind + layer, before, kind + layer);
    }
  }
  for (const std::string& kind : With({"discriminator."}, Moments(large, "discriminator"))) {
    ExpectEqual(after, kind + "5.weight", before, kind + "2.weight");
    ExpectEqual(after, kind + "15.weight", before, kind + "12.weight");
  }
  ExpectEqual(after, "discriminator.6.running_var", before, "discriminator.3.running_var");
  for (const std::string& kind : Moments(large, "generator")) {
    EXPECT_EQ(after.at(kind + "15.weight").abs().sum().item<double>(), 0) << kind;  // f->3 is new
  }
}

TEST(InitFrom, NewLayersBeginWithWhatTheSmallerNetworksDid) {
  step::Gan small = TrainedAt64(8), large = NewGan(128, 2, 8), unrelated = NewGan(128, 2, 8);
  torch::NoGradGuard no_grad;
  // Far from 0, as trained weights are: RGB of an untrained G would be near 0 whatever the layers do.
  small.generator->ptr(12)->named_parameters()["weight"].mul_(500);
  InitFrom(Saved(small), large);
  const torch::Tensor latents = torch::randn({8, 16, 1, 1}, torch::make_generator<at::CPUGeneratorImpl>(7));
  for (step::Gan* gan : {&small, &large, &unrelated}) gan->generator->eval();
  namespace F = torch::nn::functional;
  const auto twice = F::InterpolateFuncOptions().scale_factor(std::vector<double>{2, 2});
  torch::Tensor before_tanh = latents;
  for (torch::nn::AnyModule& layer : *small.generator) {
    if (layer.ptr()->as<torch::nn::Tanh>() == nullptr) before_tanh = layer.forward(before_tanh);
  }
  const auto bilinear = F::InterpolateFuncOptions(twice).mode(torch::kBilinear).align_corners(false);
  const torch::Tensor expected = torch::tanh(F::interpolate(before_tanh, bilinear));
  const auto apart = [](const torch::Tensor& a, const torch::Tensor& b) { return (a - b).abs().mean().item<double>(); };
  EXPECT_LT(apart(large.generator->forward(latents), expected), 0.1 * expected.abs().mean().item<double>());

  const torch::Tensor pictures = torch::tanh(before_tanh), enlarged = F::interpolate(pictures, twice);
  const torch::Tensor before = small.discriminator->forward(pictures);
  EXPECT_LT(apart(large.discriminator->forward(enlarged), before),
            0.1 * apart(unrelated.discriminator->forward(enlarged), before));
}

TEST(InitFrom, TooFewChannelsAtTheRgbEndStayAsTheyWere) {
  step::Gan large = NewGan(128, 2);
  const auto fresh = ByName(NewGan(128, 2));
  InitFrom(Saved(TrainedAt64()), large);
  ExpectEqual(ByName(large), "generator.15.weight", fresh, "generator.15.weight");
  ExpectEqual(ByName(large), "discriminator.0.weight", fresh, "discriminator.0.weight");
}

TEST(InitFrom, EachParameterCountsItsOwnSteps) {
  step::Gan large = NewGan(128, 2);
  InitFrom(Saved(TrainedAt64()), large);
  const auto after = ByName(large);
  const auto steps = [&](const char* network) { return after.at(std::string(network) + "_adam.steps"); };
  // G: four convolutions with scale and shift are kept, 2f->f with its norm and f->3 are new.
  EXPECT_TRUE(torch::equal(steps("generator"), torch::cat({torch::full({12}, 3.0), torch::zeros({4})})));
  // D: 3->f and f->2f with its norm are new.
  EXPECT_EQ(steps("discriminator").narrow(0, 0, 4).sum().item<double>(), 0);
  EXPECT_EQ(steps("discriminator").narrow(0, 4, steps("discriminator").numel() - 4).min().item<double>(), 3);
}

TEST(InitFrom, EqualResolutionsTakeEverything) {
  const step::Gan first = TrainedAt64();
  step::Gan second = NewGan(64, 2);
  InitFrom(Saved(first), second);
  const auto before = ByName(first), after = ByName(second);
  for (const auto& item : before) ExpectEqual(after, item.first, before, item.first);
}

TEST(InitFrom, AStepCountOfAnOlderCheckpointIsForAllParameters) {
  checkpoint::Checkpoint saved = Saved(TrainedAt64());
  for (checkpoint::OwnedTensor& tensor : saved.tensors) {
    if (!tensor.name.ends_with("_adam.steps")) continue;
    tensor.shape = {1};
    tensor.data.resize(sizeof(float));
  }
  step::Gan large = NewGan(128, 2);
  InitFrom(saved, large);
  EXPECT_EQ(ByName(large).at("generator_adam.steps")[0].item<double>(), 3);
}

TEST(InitFrom, ConditionalNetworksBeginWithWhatTheUnconditionalOnesDid) {
  step::Gan plain = TrainedAt64();
  const data::Classes classes = Classes({"a", "b", "c"});
  step::Gan conditional = NewConditional(64, 2, classes);
  InitFrom(Saved(plain), conditional);
  torch::NoGradGuard no_grad;
  const torch::Tensor latents = torch::randn({8, 16, 1, 1}, torch::make_generator<at::CPUGeneratorImpl>(7));
  for (step::Gan* gan : {&plain, &conditional}) gan->generator->eval(), gan->discriminator->eval();
  const torch::Tensor images = step::Fakes(plain, latents), logits = step::Logits(plain, images);
  for (const std::int64_t one : {0, 2}) {
    EXPECT_TRUE(torch::allclose(step::Fakes(conditional, latents, AllOf(one, 8, 3)), images, 1e-5, 1e-6));
    EXPECT_TRUE(torch::allclose(step::Logits(conditional, images, AllOf(one, 8, 3)), logits, 1e-5, 1e-6));
  }
  const auto before = ByName(plain), after = ByName(conditional);
  for (const std::string& kind : With({"generator.", "generator_ema."}, Moments(conditional, "generator"))) {
    const std::string first = kind + "0.weight";
    EXPECT_TRUE(torch::equal(after.at(first).narrow(0, 0, 16), before.at(first))) << first;
    EXPECT_EQ(after.at(first).narrow(0, 16, 64).abs().sum().item<double>(), 0) << first;
    ExpectEqual(after, kind + "9.weight", before, kind + "9.weight");
  }
  EXPECT_GT(after.at("generator.class_embedding.weight").abs().sum().item<double>(), 0);
  // The classes have an effect after one step.
  for (step::Gan* gan : {&conditional}) gan->generator->train(), gan->discriminator->train();
  torch::AutoGradMode grad(true);
  step::TrainStep(conditional, {}, {}, [] {
    step::Batch batch = {torch::rand({4, 3, 64, 64}) * 2 - 1, torch::randn({4, 16, 1, 1})};
    batch.real_classes = AllOf(0, 4, 3), batch.fake_classes = AllOf(1, 4, 3);
    return batch;
  });
  EXPECT_GT((step::Logits(conditional, images, AllOf(0, 8, 3)) - step::Logits(conditional, images, AllOf(1, 8, 3)))
                .abs()
                .max()
                .item<double>(),
            0);
}

TEST(InitFrom, ClassesGrowWithTheNetworks) {
  const data::Classes classes = Classes({"a", "b", "c"});
  const step::Gan small = NewConditional(64, 1, classes, 8);
  step::Gan large = NewConditional(128, 2, classes, 8);
  InitFrom(Saved(small), large);
  const auto before = ByName(small), after = ByName(large);
  for (const char* name : {"generator.class_embedding.weight", "generator_ema.class_embedding.weight",
                           "generator.0.weight", "discriminator.class_projection.weight"}) {
    ExpectEqual(after, name, before, name);
  }
}

TEST(InitFrom, UnconditionalNetworksGrowIntoConditionalOnes) {
  step::Gan large = NewConditional(128, 2, Classes({"a", "b"}), 8);
  const step::Gan small = TrainedAt64(8);
  InitFrom(Saved(small), large);
  EXPECT_TRUE(
      torch::equal(ByName(large).at("generator.0.weight").narrow(0, 0, 16), ByName(small).at("generator.0.weight")));
}

TEST(InitFrom, OtherClassesAreRefusedByName) {
  const checkpoint::Checkpoint saved = Saved(NewConditional(64, 1, Classes({"coat", "dress", "hat"})));
  step::Gan plain = NewGan(64, 2);
  EXPECT_THROW(InitFrom(saved, plain), UsageError);
  step::Gan other = NewConditional(64, 2, Classes({"coat", "hat", "shoe"}));
  try {
    InitFrom(saved, other);
    FAIL() << "not refused";
  } catch (const DataError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("no longer has the classes \"dress\""), std::string::npos) << text;
    EXPECT_NE(text.find("new classes \"shoe\""), std::string::npos) << text;
    EXPECT_EQ(text.find("\"hat\""), std::string::npos) << text;
  }
  step::Gan reordered = NewConditional(64, 2, Classes({"dress", "coat", "hat"}));
  EXPECT_THROW(InitFrom(saved, reordered), DataError);
}

TEST(InitFrom, AMissingTensorIsReported) {
  checkpoint::Checkpoint saved = Saved(TrainedAt64());
  std::erase_if(saved.tensors, [](const checkpoint::OwnedTensor& t) { return t.name == "generator.9.weight"; });
  step::Gan large = NewGan(128, 2);
  EXPECT_THROW(InitFrom(saved, large), DataError);
}

}  // namespace
}  // namespace gan::run
