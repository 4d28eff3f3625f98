# cmake --install: the programs, and the library gan::distributed as a CMake package:
#   find_package(Equipoise COMPONENTS distributed)  ->  Equipoise::distributed
include_guard()
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/Equipoise")

install(TARGETS gan-preprocess gan-inspect gan-generate RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS gan_opencv gan_ranks LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(program gan-preprocess gan-inspect gan-generate)
  set_property(TARGET ${program} APPEND PROPERTY INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
endforeach()

if(EQUIPOISE_TRAINER)
  # LibTorch: beside our libraries when it was put there (a relocatable tree), else where this build found it.
  get_filename_component(_libtorch_dir "${LibTorch_CPU_LIBRARY}" DIRECTORY)
  set_property(TARGET gan-train APPEND PROPERTY INSTALL_RPATH
    "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}" "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}/libtorch" "${_libtorch_dir}")
  install(TARGETS gan-train RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  if(TARGET gan_nccl)
    set_property(TARGET gan_nccl APPEND PROPERTY INSTALL_RPATH "$ORIGIN" "$ORIGIN/libtorch" "${_libtorch_dir}")
    install(TARGETS gan_nccl LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  endif()

  set_target_properties(gan_distributed PROPERTIES EXPORT_NAME distributed)
  set_target_properties(gan_storage PROPERTIES EXPORT_NAME storage)
  install(TARGETS gan_distributed gan_storage EXPORT EquipoiseTargets ARCHIVE
          DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT EquipoiseTargets NAMESPACE Equipoise:: DESTINATION "${_package_dir}")
  foreach(folder storage trainer/distributed)
    install(DIRECTORY "${PROJECT_SOURCE_DIR}/${folder}/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/equipoise/${folder}"
            FILES_MATCHING PATTERN "*.h")
  endforeach()
  configure_package_config_file(cmake/EquipoiseConfig.cmake.in "${PROJECT_BINARY_DIR}/EquipoiseConfig.cmake"
    INSTALL_DESTINATION "${_package_dir}")
  write_basic_package_version_file("${PROJECT_BINARY_DIR}/EquipoiseConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
  install(FILES "${PROJECT_BINARY_DIR}/EquipoiseConfig.cmake" "${PROJECT_BINARY_DIR}/EquipoiseConfigVersion.cmake"
                cmake/FindLibTorch.cmake DESTINATION "${_package_dir}")
endif()
install(FILES LICENSE README.md CHANGELOG.md DESTINATION "${CMAKE_INSTALL_DOCDIR}")
