// MPI's C interface alone: Open MPI's header would drag in C++ bindings that were removed from the standard.
#pragma once

#define OMPI_SKIP_MPICXX 1
#include <mpi.h>
