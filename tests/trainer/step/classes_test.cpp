// Conditional networks within a step: micro-batches, ranks, widening and the average of the weights treat classes like
// any other part.
#include <gtest/gtest.h>

#include <set>

#include "tests/trainer/step/tiny_gan.h"
#include "trainer/distributed/replicas.h"
#include "trainer/model/classes.h"

namespace gan::step {
namespace {

constexpr std::int64_t kClasses = 3;

GanOptions Conditional(bool spectral = false) {
  GanOptions options = TinyOptions();
  options.network.classes = kClasses;
  options.network.spectral_norm = spectral;
  return options;
}

Batch Labelled(int number, std::int64_t images = 4) { return WithClasses(BatchOf(number, images), kClasses); }

torch::Tensor AllOf(std::int64_t one, std::int64_t count) {
  return torch::one_hot(torch::full({count}, one, torch::kLong), kClasses).to(torch::kFloat);
}

TEST(Classes, ChangeBothNetworksOutputs) {
  Gan gan = TinyGan(Conditional());
  const Batch batch = BatchOf(1);
  EXPECT_GT(Difference(Fakes(gan, batch.latents, AllOf(0, 4)), Fakes(gan, batch.latents, AllOf(1, 4))), 1e-4);
  EXPECT_GT(Difference(Logits(gan, batch.real, AllOf(0, 4)), Logits(gan, batch.real, AllOf(1, 4))), 1e-4);
}

TEST(Classes, OfAMixAreTheMixOfTheirTerms) {
  Gan gan = TinyGan(Conditional());
  const model::OnRunningStatistics alone(*gan.discriminator);
  const torch::Tensor images = BatchOf(1).real;
  const torch::Tensor mixed = Logits(gan, images, 0.25 * AllOf(0, 4) + 0.75 * AllOf(2, 4));
  const torch::Tensor expected = 0.25 * Logits(gan, images, AllOf(0, 4)) + 0.75 * Logits(gan, images, AllOf(2, 4));
  EXPECT_LE(Difference(mixed, expected), 1e-6);
}

TEST(Classes, AreNeverForgottenSilently) {
  Gan conditional = TinyGan(Conditional()), plain = TinyGan();
  const Batch batch = BatchOf(1);
  EXPECT_THROW(Fakes(conditional, batch.latents), c10::Error);
  EXPECT_THROW(Logits(conditional, batch.real), c10::Error);
  EXPECT_THROW(Logits(plain, batch.real, AllOf(0, 4)), c10::Error);
}

// All other tensors keep their names, so that a checkpoint stays readable for whoever knows the layers.
TEST(Classes, AreOneTensorInEachNetwork) {
  const Gan plain = TinyGan(), conditional = TinyGan(Conditional());
  std::set<std::string> names, more;
  for (const auto& item : plain.NamedState()) names.insert(item.first);
  for (const auto& item : conditional.NamedState()) more.insert(item.first);
  for (const std::string& name : names) EXPECT_EQ(more.erase(name), 1U) << name;
  for (const std::string& name : more) EXPECT_NE(name.find("class_"), std::string::npos) << name;
  EXPECT_TRUE(more.contains("generator.class_embedding.weight"));
  EXPECT_TRUE(more.contains("generator_ema.class_embedding.weight"));
  EXPECT_TRUE(more.contains("discriminator.class_projection.weight"));
}

TEST(Classes, TrainWithSynchronisedBatchNormWhichKeepsThem) {
  GanOptions options = Conditional();
  options.sync_batch_norm = true;
  Gan gan = TinyGan(options);
  const torch::Tensor embedding = gan.generator->named_parameters()[model::kClassEmbeddingWeight];
  const torch::Tensor before = embedding.detach().clone();
  TrainStep(gan, {}, {}, [] { return Labelled(distributed::TestWorld().rank); });
  EXPECT_GT(Difference(embedding, before), 0);
  std::vector<torch::Tensor> tensors;
  for (auto& [name, tensor] : gan.NamedState()) tensors.push_back(tensor);
  EXPECT_NO_THROW(distributed::RequireEqualReplicas(tensors, *gan.communicator, "state"));
}

TEST(Classes, AWiderDiscriminatorComputesTheSame) {
  Gan gan = TinyGan(Conditional());
  for (int i = 0; i < 3; ++i) TrainStep(gan, {}, {}, [&] { return Labelled(i); });
  torch::NoGradGuard no_grad;
  const Batch batch = Labelled(9);
  gan.discriminator->eval();
  const torch::Tensor before = Logits(gan, batch.real, batch.real_classes);
  WidenDiscriminator(gan, 3, /*seed=*/7);
  gan.discriminator->eval();
  EXPECT_LE(Difference(Logits(gan, batch.real, batch.real_classes), before), 1e-5);
  EXPECT_EQ(gan.discriminator->named_parameters()[model::kClassProjectionWeight].size(1), 3 * 64);
}

// Without a norm that sees the batch, k micro-batches equal the joined batch.
TEST(Classes, OfMicroBatchesAreThoseOfTheJoinedBatch) {
  GanOptions options = Conditional();
  options.precision = Precision::kFp64;
  options.network.d_norm = model::Norm::kLayer;
  StepPlan plan;
  plan.train_generator = false;  // G's batch norm sees the batch
  plan.loss.r1 = 1;
  Gan whole = TinyGan(options), parts = TinyGan(options);
  whole.generator->eval(), parts.generator->eval();
  const Batch joined = WithClasses(BatchOf(3, 8, torch::kDouble), kClasses);
  TrainStep(whole, plan, {}, [&] { return joined; });
  plan.micro_batches = 2;
  std::int64_t next = 0;
  TrainStep(parts, plan, {}, [&] {
    const auto half = [&](const torch::Tensor& all) { return all.narrow(0, next, 4); };
    Batch batch = {half(joined.real), half(joined.latents), half(joined.real_classes), half(joined.fake_classes)};
    next += 4;
    return batch;
  });
  const auto a = whole.discriminator->named_parameters(), b = parts.discriminator->named_parameters();
  for (const auto& item : a) {
    const torch::Tensor other = b[item.key()];
    EXPECT_LE(Difference(item.value().grad(), other.grad()), 1e-9 * item.value().grad().abs().max().item<double>())
        << item.key();
  }
}

TEST(Classes, HaveASpectralNormWhereTheLayersHaveOne) {
  Gan gan = TinyGan(Conditional(/*spectral=*/true));
  for (int i = 0; i < 3; ++i) TrainStep(gan, {}, {}, [&] { return Labelled(i); });
  torch::NoGradGuard no_grad;
  const model::OnRunningStatistics alone(*gan.discriminator);
  const Batch batch = Labelled(9);
  const torch::Tensor before = Logits(gan, batch.real, batch.real_classes);
  gan.discriminator->named_parameters()[model::kClassProjectionWeight].mul_(5);
  // u and v stay; sigma is u W v, which grows with W.
  EXPECT_LE(Difference(Logits(gan, batch.real, batch.real_classes), before), 1e-6);
}

}  // namespace
}  // namespace gan::step
