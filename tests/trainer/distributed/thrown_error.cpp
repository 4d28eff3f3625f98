// A rank that leaves by an exception must not wait in MPI_Finalize for ranks that wait for it.
#include <iostream>
#include <stdexcept>

#include "trainer/distributed/communicator.h"

int main(int argc, char** argv) {
  try {
    gan::distributed::Environment environment(&argc, &argv);
    const auto communicator = gan::distributed::Communicator::Create(environment.world(), "test");
    if (communicator->rank() == 1) throw std::runtime_error("on purpose");
    communicator->Barrier();
  } catch (const std::exception& error) {
    std::cerr << "left with: " << error.what() << '\n';
    return 3;
  }
  return 0;
}
