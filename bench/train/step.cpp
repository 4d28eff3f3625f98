// Measures where the time of a step goes, how far it is from the processor's limit, and what gan-train costs in
// addition to the mathematics. It alternates between steps of the run as gan-train does them and steps of a bare loop.
// The bare loop has the same networks, losses, exchange and optimizers and nothing else: it always uses one batch, and
// has no loader, metrics, statistics, log or checks. At the end it prints the operators of one more turn of gan-train's
// steps, the slowest first.
// Usage: [mpirun -np N] step_cost --shards SHARDS --run NEW_FOLDER [--turns 5] [--turn-steps 20] [--operators 25]
// [gan-train's flags]
#include <torch/nn/modules/container/sequential.h>
#include <torch/utils.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <optional>

#include "bench/train/operator_times.h"
#include "trainer/distributed/tensor_average.h"
#include "trainer/loss/adversarial.h"
#include "trainer/model/cost.h"
#include "trainer/model/product.h"
#include "trainer/run/trainer.h"

namespace {

using Clock = std::chrono::steady_clock;
namespace distributed = gan::distributed;
namespace model = gan::model;

template <typename Work>
double Seconds(const Work& work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<torch::Tensor> GradientsOf(const torch::nn::Sequential& network) {
  std::vector<torch::Tensor> gradients;
  for (const torch::Tensor& parameter : network->parameters()) gradients.push_back(parameter.grad());
  return gradients;
}

class BareLoop {
 public:
  BareLoop(const gan::run::TrainOptions& options, const std::shared_ptr<distributed::Communicator>& communicator)
      : options_(options), gan_(options.gan, torch::kCPU, options.seed, communicator) {
    const auto batch = static_cast<std::int64_t>(options.batch), side = options.gan.network.resolution;
    real_ = (torch::rand({batch, 3, side, side}) * 2 - 1).contiguous(torch::MemoryFormat::ChannelsLast);
    latents_ = torch::randn({batch, options.gan.network.noise_dim, 1, 1});
  }

  void Step() {
    torch::Tensor fake, loss;
    forward += Seconds([&] {
      fake = gan_.generator->forward(latents_);
      loss = gan::loss::kBceLoss.discriminator(Logits(real_), Logits(fake.detach()), {}).Total();
    });
    Update(loss, gan_.discriminator, gan_.discriminator_optimizer, options_.lr_d);
    model::SetRequiresGrad(*gan_.discriminator, false);
    forward += Seconds([&] { loss = gan::loss::kBceLoss.generator(Logits(fake), {}); });
    Update(loss, gan_.generator, gan_.generator_optimizer, options_.lr_g);
    model::SetRequiresGrad(*gan_.discriminator, true);
    sync += Seconds([&] {
      if (gan_.communicator->size() > 1) distributed::AverageOverRanks(gan_.statistics, *gan_.communicator);
    });
    optimizer += Seconds([&] { gan_.ema.Update(*gan_.generator, options_.batch, images_ += options_.batch); });
  }

  double forward = 0, backward = 0, sync = 0, optimizer = 0;  // seconds so far

 private:
  torch::Tensor Logits(const torch::Tensor& images) { return model::Discriminate(gan_.discriminator, images); }

  void Update(const torch::Tensor& loss, const torch::nn::Sequential& network, gan::step::Optimizer& network_optimizer,
              double rate) {
    network_optimizer.ClearGradients();
    backward += Seconds([&] { loss.backward(); });
    sync += Seconds([&] {
      if (gan_.communicator->size() > 1) distributed::AverageOverRanks(GradientsOf(network), *gan_.communicator);
    });
    optimizer += Seconds([&] {
      network_optimizer.Step(
          torch::full({}, rate, torch::TensorOptions(gan_.device).dtype(gan::step::LearningRateType(gan_.device))));
    });
  }

  const gan::run::TrainOptions& options_;
  gan::step::Gan gan_;
  torch::Tensor real_, latents_;
  std::uint64_t images_ = 0;
};

// One step of gan-train's loop (trainer/run/train.cpp) without pictures and checkpoints; returns its time for data.
double RunStep(gan::run::Trainer& run, std::uint64_t check_every) {
  const gan::run::StepRecord record = run.Step();
  run.ReportFinishedSave();
  if (check_every > 0 && record.step % check_every == 0) run.RequireEqualReplicas();
  return record.local.times.data;
}

// The forward and backward of G; the forward and backward of D on real and on generated images, and those for G's
// gradient, to the input alone.
double GigaflopsOf(const gan::run::TrainOptions& options) {
  const model::NetworkOptions& network = options.gan.network;
  const double g = model::CostOf(model::MakeGenerator(network), {1, network.noise_dim, 1, 1}).flops;
  const double d =
      model::CostOf(model::MakeDiscriminator(network), {1, 3, network.resolution, network.resolution}).flops;
  return 1e-9 * static_cast<double>(options.batch) * (3 * g + 8 * d);
}

double LargeProduct() {
  const torch::Tensor a = torch::rand({2048, 2048}), b = torch::rand({2048, 2048});
  return 2 * 2.048 * 2.048 * 2.048 / Seconds([&] { model::Product(a, b); });
}

void Report(const gan::run::TrainOptions& options, const BareLoop& bare, double ours, double data, double product,
            double steps) {
  const double milliseconds = 1e3 / steps;
  const double bare_seconds = bare.forward + bare.backward + bare.sync + bare.optimizer;
  std::printf("bare loop  %7.2f ms per step: forward %.2f, backward %.2f, synchronisation %.2f, optimizers %.2f\n",
              milliseconds * bare_seconds, milliseconds * bare.forward, milliseconds * bare.backward,
              milliseconds * bare.sync, milliseconds * bare.optimizer);
  std::printf("gan-train  %7.2f ms per step, %+.1f %%; its batch and latents take %.2f\n", milliseconds * ours,
              100 * (ours / bare_seconds - 1), milliseconds * data);
  const double achieved = GigaflopsOf(options) * steps / bare_seconds;
  std::printf("bare loop  %.0f GFLOP/s per rank, %.0f %% of a large product's %.0f\n", achieved,
              100 * achieved / product, product);
}

void ReportOperators(gan::run::Trainer& run, const gan::run::TrainOptions& options, int steps, std::size_t most,
                     bool print) {
  const gan::bench::OperatorTimes times;
  const double seconds = Seconds([&] {
    for (int i = 0; i < steps; ++i) RunStep(run, options.check_every);
  });
  if (print) times.Print(steps, seconds / steps, most);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Steps of gan-train and of a bare loop in turns");
  gan::run::TrainOptions options;
  options.metrics_port = "0";
  gan::run::AddTrainFlags(app, options);
  int turns = 5, turn_steps = 20;
  std::size_t operators = 25;
  app.add_option("--turns", turns);
  app.add_option("--turn-steps", turn_steps);
  app.add_option("--operators", operators);
  CLI11_PARSE(app, argc, argv);
  options.steps = std::numeric_limits<std::int64_t>::max();
  const distributed::Environment environment(&argc, &argv);
  const distributed::World& world = environment.world();
  const auto communicator = distributed::Communicator::Create(world, "bare");
  std::optional<gan::run::Trainer> run;
  run.emplace(options, world, [](gan::run::Section) {});
  BareLoop bare(options, communicator);
  double ours = 0, data = 0, product = 0;
  for (int turn = -1; turn < turns; ++turn) {
    if (turn == 0) {  // the first turn was the warm-up
      ours = data = 0;
      bare.forward = bare.backward = bare.sync = bare.optimizer = 0;
    }
    communicator->Barrier();
    ours += Seconds([&] {
      for (int i = 0; i < turn_steps; ++i) data += RunStep(*run, options.check_every);
    });
    for (int i = 0; i < turn_steps; ++i) bare.Step();
    product = std::max(product, LargeProduct());
  }
  if (world.rank == 0) {
    std::printf("features %ld, batch %lu, %d rank(s) of %d thread(s), %d turns of %d steps\n",
                options.gan.network.features, options.batch, world.size, torch::get_num_threads(), turns, turn_steps);
    Report(options, bare, ours, data, product, static_cast<double>(turns) * turn_steps);
  }
  ReportOperators(*run, options, turn_steps, operators, world.rank == 0);
  communicator->Barrier();
  return 0;
}
