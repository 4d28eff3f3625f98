# cmake --install: the programs with their manual pages and completions, and the library gan::distributed as a CMake
# package: find_package(Equipoise COMPONENTS distributed) -> Equipoise::distributed. The component `libtorch`, which only
# packages take (EquipoisePackage.cmake), is the part of LibTorch that the programs load.
include_guard()
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/Equipoise")
set(_private_dir "${CMAKE_INSTALL_LIBDIR}/equipoise")  # what only our programs load
set(_programs gan-preprocess gan-inspect gan-generate gan-launch gan-rank-check)
set(_manual_of gan-preprocess gan-inspect gan-generate gan-launch)
set(_gan-preprocess_name "turn pictures into shards for training")
set(_gan-inspect_name "say what shards, checkpoints and runs are and whether they are intact")
set(_gan-generate_name "make pictures from a trained generator, or export it")
set(_gan-launch_name "start a training job, watch it and restart it from its newest checkpoint")
set(_gan-train_name "train a DCGAN, data-parallel over the ranks of mpirun or srun")
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME programs)
set(_doc_dir "${CMAKE_INSTALL_DATADIR}/doc/equipoise")

install(TARGETS ${_programs} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS ${EQUIPOISE_PLUGINS} LIBRARY DESTINATION ${_private_dir})
if(TARGET gan_parquet)
  get_filename_component(_arrow_dir "${Arrow_LIBRARY}" DIRECTORY)
  set_property(TARGET gan_parquet APPEND PROPERTY INSTALL_RPATH "$ORIGIN" "${_arrow_dir}")
  install(TARGETS gan_parquet LIBRARY DESTINATION ${_private_dir} COMPONENT parquet)
endif()
set_property(TARGET gan-preprocess gan-inspect gan-generate gan-launch APPEND PROPERTY INSTALL_RPATH "$ORIGIN/../${_private_dir}")

if(EQUIPOISE_TRAINER)
  list(APPEND _manual_of gan-train)
  # LibTorch: beside our libraries when it was put there (a relocatable tree), else where this build found it.
  get_filename_component(_libtorch_dir "${LibTorch_CPU_LIBRARY}" DIRECTORY)
  set_property(TARGET gan-train APPEND PROPERTY INSTALL_RPATH
    "$ORIGIN/../${_private_dir}" "$ORIGIN/../${_private_dir}/libtorch" "${_libtorch_dir}")
  install(TARGETS gan-train RUNTIME_DEPENDENCY_SET libtorch RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(RUNTIME_DEPENDENCY_SET libtorch POST_INCLUDE_REGEXES "/lib(torch|c10|gomp|cudart|cupti)[^/]*$" POST_EXCLUDE_REGEXES ".*"
          LIBRARY DESTINATION ${_private_dir}/libtorch COMPONENT libtorch EXCLUDE_FROM_ALL)
  if(TARGET gan_nccl)
    set_property(TARGET gan_nccl APPEND PROPERTY INSTALL_RPATH "$ORIGIN" "$ORIGIN/libtorch" "${_libtorch_dir}")
    install(TARGETS gan_nccl LIBRARY DESTINATION ${_private_dir} COMPONENT nccl)
  endif()

  set_target_properties(gan_distributed PROPERTIES EXPORT_NAME distributed)
  set_target_properties(gan_storage PROPERTIES EXPORT_NAME storage)
  install(TARGETS gan_distributed gan_storage EXPORT EquipoiseTargets
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
  install(EXPORT EquipoiseTargets NAMESPACE Equipoise:: DESTINATION "${_package_dir}" COMPONENT development)
  foreach(folder storage trainer/distributed)
    install(DIRECTORY "${PROJECT_SOURCE_DIR}/${folder}/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/equipoise/${folder}"
            COMPONENT development FILES_MATCHING PATTERN "*.h")
  endforeach()
  configure_package_config_file(cmake/EquipoiseConfig.cmake.in "${PROJECT_BINARY_DIR}/EquipoiseConfig.cmake"
    INSTALL_DESTINATION "${_package_dir}")
  write_basic_package_version_file("${PROJECT_BINARY_DIR}/EquipoiseConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
  install(FILES "${PROJECT_BINARY_DIR}/EquipoiseConfig.cmake" "${PROJECT_BINARY_DIR}/EquipoiseConfigVersion.cmake"
                cmake/FindLibTorch.cmake DESTINATION "${_package_dir}" COMPONENT development)
endif()

# Manual pages and completions come from --help-all, so they cannot disagree with the programs.
find_program(EQUIPOISE_HELP2MAN help2man)
find_package(Python3 COMPONENTS Interpreter)
set(_describing "")
foreach(program ${_manual_of})
  if(EQUIPOISE_HELP2MAN)
    set(_page "${PROJECT_BINARY_DIR}/man/${program}.1")
    add_custom_command(OUTPUT "${_page}" DEPENDS ${program} VERBATIM
      COMMAND ${CMAKE_COMMAND} -E make_directory "${PROJECT_BINARY_DIR}/man"
      COMMAND "${EQUIPOISE_HELP2MAN}" --no-info --help-option=--help-all --section 1 --source "Equipoise ${PROJECT_VERSION}" --manual Equipoise
              --version-string "${PROJECT_VERSION}" --name "${_${program}_name}" --output "${_page}" $<TARGET_FILE:${program}>)
    install(FILES "${_page}" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
    list(APPEND _describing "${_page}")
  endif()
  if(Python3_Interpreter_FOUND)
    set(_completion "${PROJECT_BINARY_DIR}/completions/${program}")
    add_custom_command(OUTPUT "${_completion}" DEPENDS ${program} "${PROJECT_SOURCE_DIR}/cmake/bash_completion.py" VERBATIM
      COMMAND ${CMAKE_COMMAND} -E make_directory "${PROJECT_BINARY_DIR}/completions"
      COMMAND Python3::Interpreter "${PROJECT_SOURCE_DIR}/cmake/bash_completion.py" $<TARGET_FILE:${program}> "${_completion}")
    install(FILES "${_completion}" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
    list(APPEND _describing "${_completion}")
  endif()
endforeach()
add_custom_target(descriptions ALL DEPENDS ${_describing})
list(JOIN _manual_of " " _names)
file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/completions/_equipoise" CONTENT "#compdef ${_names}\n_gnu_generic \"$@\"\n")
install(FILES "${PROJECT_BINARY_DIR}/completions/_equipoise" DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/site-functions")

install(FILES README.md CHANGELOG.md docs/third-party.md DESTINATION "${_doc_dir}")
install(FILES LICENSE DESTINATION "${_doc_dir}" RENAME copyright)
install(DIRECTORY python/equipoise DESTINATION "${CMAKE_INSTALL_DATADIR}/equipoise/python" PATTERN __pycache__ EXCLUDE)
foreach(folder cluster monitoring/grafana monitoring/prometheus)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/${folder}" DESTINATION "${CMAKE_INSTALL_DATADIR}/equipoise")
endforeach()
