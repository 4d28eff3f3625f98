# Run by cpack before it packs: a packaged program must not look for LibTorch where the building machine happened to have
# it, only inside its own tree, `lib/equipoise/libtorch`.
file(GLOB_RECURSE _trainers "${CPACK_TEMPORARY_DIRECTORY}/*/gan-train")
file(GLOB_RECURSE _plugins "${CPACK_TEMPORARY_DIRECTORY}/*/libgan_nccl.so")
list(FILTER _trainers INCLUDE REGEX "/bin/gan-train$")
foreach(_file ${_trainers})
  file(RPATH_SET FILE "${_file}" NEW_RPATH "$ORIGIN/../lib/equipoise:$ORIGIN/../lib/equipoise/libtorch")
endforeach()
foreach(_file ${_plugins})
  file(RPATH_SET FILE "${_file}" NEW_RPATH "$ORIGIN:$ORIGIN/libtorch")
endforeach()
