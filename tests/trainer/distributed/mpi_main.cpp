#include <gtest/gtest.h>

#include <optional>

#include "tests/trainer/distributed/mpi_world.h"

namespace gan::distributed {

namespace {
std::optional<Environment> environment;
}  // namespace

const World& TestWorld() { return environment->world(); }

}  // namespace gan::distributed

int main(int argc, char** argv) {
  gan::distributed::environment.emplace(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  const int result = RUN_ALL_TESTS();
  if (result != 0 && gan::distributed::TestWorld().size > 1) gan::distributed::Environment::Abort(result);
  gan::distributed::environment.reset();
  return result;
}
