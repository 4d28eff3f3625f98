// Includes only MPI's C interface. Open MPI's header would otherwise include its C++ bindings, which were removed from
// the MPI standard.
#pragma once

#define OMPI_SKIP_MPICXX 1
#include <mpi.h>
