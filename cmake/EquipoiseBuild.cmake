# How every target of this project is compiled, and the functions that the CMakeLists.txt of the folders call.
include_guard()
include(CheckIPOSupported)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CMAKE_BUILD_RPATH "${CMAKE_LIBRARY_OUTPUT_DIRECTORY}")  # where dlopen finds the plugins
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

# The files of a layer are compiled in groups: LibTorch's and the JSON library's templates cost more than our code, and a
# group pays for them once. OFF compiles each file by itself, which is quicker while one file changes again and again.
option(EQUIPOISE_UNITY "Compile the files of each layer and test program in groups" ON)

# ccache and a faster linker are used when present.
find_program(EQUIPOISE_CCACHE ccache)
if(EQUIPOISE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The sloppiness is what ccache's manual asks for with precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros;${EQUIPOISE_CCACHE}")
endif()
find_program(EQUIPOISE_MOLD mold)
find_program(EQUIPOISE_LLD ld.lld)
if(EQUIPOISE_MOLD)
  add_link_options(-fuse-ld=mold)
elseif(EQUIPOISE_LLD)
  add_link_options(-fuse-ld=lld)
endif()

set(EQUIPOISE_SANITIZE "" CACHE STRING "Sanitizers, for example address,undefined")
if(EQUIPOISE_SANITIZE)
  add_compile_options(-fsanitize=${EQUIPOISE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${EQUIPOISE_SANITIZE})
endif()

# An untested compiler may have new warnings, which must not stop a user's build. ./check turns warnings into errors.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  set(_known_compiler ON)
else()
  set(_known_compiler OFF)
endif()
option(EQUIPOISE_WARNINGS_AS_ERRORS "Treat warnings as errors" ${_known_compiler})

# For code that only calls functions that compute. It saves half of the compiler's time. Programs get -fPIC as libraries
# do, so that both can use one precompiled header.
set(EQUIPOISE_COMPILE_QUICKLY $<$<CONFIG:Release>:-O1> -fPIC)
# The headers that nearly every file that uses LibTorch includes. The whole torch/torch.h costs 4 s more per file, even
# precompiled.
set(EQUIPOISE_TORCH_HEADERS <torch/nn/modules/container/sequential.h> <torch/utils.h>)

function(equipoise_groups target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${EQUIPOISE_UNITY} UNITY_BUILD_BATCH_SIZE 16)
  if(EQUIPOISE_UNITY)  # GCC takes the files of a group for headers, whose types should have linkage
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()

function(equipoise_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wcast-align
                         -Wunused -Woverloaded-virtual -Wnull-dereference -Wdouble-promotion
                         $<$<BOOL:${EQUIPOISE_WARNINGS_AS_ERRORS}>:-Werror>
                         # GCC 12 sees overlaps in std::string that are not there (GCC bug 105329).
                         $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
  if(EQUIPOISE_SANITIZE)  # GCC sees null pointers and unset members in what a sanitizer puts in
    target_compile_options(${target} PRIVATE -Wno-null-dereference
                           $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  endif()
endfunction()

# equipoise_layer(storage SOURCES a.cpp LINKS gan::x PRIVATE_LINKS y): the static library gan::storage.
function(equipoise_layer name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(gan_${name} STATIC ${arg_SOURCES})
  add_library(gan::${name} ALIAS gan_${name})
  # Includes start at the repository root, so every include line shows its layer.
  target_include_directories(gan_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                             $<INSTALL_INTERFACE:include/equipoise>)
  target_link_libraries(gan_${name} PUBLIC ${arg_LINKS} PRIVATE ${arg_PRIVATE_LINKS})
  equipoise_warnings(gan_${name})
  equipoise_groups(gan_${name})
endfunction()

# equipoise_program(gan-train SOURCES gan_train.cpp LINKS gan::run): the program gan-train.
function(equipoise_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINKS})
  equipoise_warnings(${name})
  equipoise_groups(${name})
endfunction()

# equipoise_test(shard_test SOURCES shard_test.cpp LINKS gan::shard): a GoogleTest program, one ctest entry per test.
function(equipoise_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;LABELS" ${ARGN})
  equipoise_program(${name} SOURCES ${arg_SOURCES} LINKS ${arg_LINKS} GTest::gmock GTest::gtest GTest::gtest_main)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                       PROPERTIES TIMEOUT 120 LABELS "${arg_LABELS};unit")
endfunction()

# equipoise_torch_program(step_test SOURCES step_test.cpp LINKS gan::step GTest::gtest): a test program that includes
# LibTorch's headers, which cost more than the tests themselves. All of these share the precompiled header of gan::loss,
# which needs few of our layers, so that little is compiled before it.
function(equipoise_torch_program name)
  equipoise_program(${name} ${ARGN})
  target_precompile_headers(${name} REUSE_FROM gan_loss)
endfunction()

# equipoise_mpi_test(NAME 2 command args...): runs `mpirun -np 2 command args...` on this host, shared memory only.
function(equipoise_mpi_test name ranks)
  add_test(NAME ${name} COMMAND ${MPIEXEC_EXECUTABLE} --oversubscribe --bind-to none --mca btl ^tcp
                                --mca btl_vader_single_copy_mechanism none --mca smsc ^cma -np ${ranks} ${ARGN})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300 PROCESSORS 2 LABELS mpi
    ENVIRONMENT "OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1;OMP_NUM_THREADS=1")
endfunction()
