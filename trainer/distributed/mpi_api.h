// Includes only MPI's C interface. Open MPI's header would otherwise include its C++ bindings, which are no longer part
// of the MPI standard.
#pragma once

#define OMPI_SKIP_MPICXX 1
#include <mpi.h>
