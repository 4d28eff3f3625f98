// Feeds the stats.jsonl of a run to the balance controller again, with other thresholds, and prints its verdict of
// every step, to tune thresholds without training. Usage: balance_replay OPTIONS.json < stats.jsonl OPTIONS.json holds
// any fields of BalanceOptions; the run must have been one with --balance watch or off.
#include <fstream>
#include <iostream>
#include <string>

#include "trainer/balance/balance.h"

namespace {

double Number(const nlohmann::json& line, const char* name, double otherwise) {
  const auto found = line.find(name);
  return found == line.end() || found->is_null() ? otherwise : found->get<double>();
}

gan::balance::Signals SignalsOf(const nlohmann::json& line, double floor, double ceiling) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  gan::balance::Signals signals;
  signals.loss_d = Number(line, "loss_d", kNan);
  signals.loss_g = Number(line, "loss_g", kNan);
  signals.loss_d_floor = floor;
  signals.loss_d_ceiling = ceiling;
  signals.auc = Number(line, "d_auc", kNan);
  signals.accuracy_real = Number(line, "d_accuracy_real", kNan);
  signals.accuracy_fake = Number(line, "d_accuracy_fake", kNan);
  signals.grad_norm_g = Number(line, "grad_norm_g", 0);
  signals.grad_norm_d = Number(line, "grad_norm_d", 0);
  signals.diversity = Number(line, "diversity", -1);
  signals.diversity_reference = Number(line, "diversity_reference", -1);
  return signals;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: balance_replay OPTIONS.json < stats.jsonl\n";
    return 2;
  }
  std::ifstream file(argv[1]);
  const nlohmann::json given = nlohmann::json::parse(file);
  auto options = given.get<gan::balance::BalanceOptions>();
  gan::balance::Controller controller(options);
  for (std::string text; std::getline(std::cin, text);) {
    const nlohmann::json line = nlohmann::json::parse(text);
    const auto step = line.at("step").get<std::uint64_t>();
    controller.Observe(step, SignalsOf(line, given.value("loss_d_floor", 0.0), given.value("loss_d_ceiling", 0.0)));
    std::cout << step << ' ' << Name(controller.verdict()) << '\n';
  }
  return 0;
}
