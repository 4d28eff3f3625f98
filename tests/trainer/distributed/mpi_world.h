#pragma once

#include "trainer/distributed/communicator.h"

namespace gan::distributed {

// The world that mpi_main.cpp opened for the whole test program.
const World& TestWorld();

}  // namespace gan::distributed
