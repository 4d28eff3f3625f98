#include "open_mpi/runtime.h"

#include <gtest/gtest.h>

namespace gan::open_mpi {
namespace {

TEST(Runtime, OpenMpi5IsStartedByPrrte) {
  for (const char* version : {"mpirun (Open MPI) 5.0.11\n\nReport bugs to https://www.open-mpi.org/community/help/\n",
                              "mpirun (Open MPI) 10.0", "prterun (PRRTE) 3.0.7"}) {
    EXPECT_EQ(RuntimeOf(version), Runtime::kPrrte) << version;
  }
  for (const char* version : {"mpirun (Open MPI) 4.1.4\n", "mpirun (Open MPI) ", "a wrapper of ours", ""}) {
    EXPECT_EQ(RuntimeOf(version), Runtime::kOrte) << version;
  }
}

TEST(Runtime, WhatTheUserHasSetStays) {
  ::setenv("OMPI_MCA_smsc", "xpmem", 1);
  ::unsetenv("OMPI_MCA_btl_vader_single_copy_mechanism");
  CopyWithoutKernel();
  EXPECT_STREQ(std::getenv("OMPI_MCA_smsc"), "xpmem");
  EXPECT_STREQ(std::getenv("OMPI_MCA_btl_vader_single_copy_mechanism"), "none");
}

}  // namespace
}  // namespace gan::open_mpi
