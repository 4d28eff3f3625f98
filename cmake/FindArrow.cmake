# Finds Arrow and Parquet for C++ inside the Python package pyarrow, whose libraries have no names without a version
# (docs/decisions/0020-libraries-for-data-sets.md): in EQUIPOISE_PYARROW, or else in .deps/venv, where setup/arrow.sh puts
# it. Defines Arrow::parquet.
file(GLOB _arrow_folder "${PROJECT_SOURCE_DIR}/.deps/venv/lib/python3*/site-packages/pyarrow")
set(EQUIPOISE_PYARROW "" CACHE PATH "Folder of the Python package pyarrow, version 26")
set(_arrow_major 2600)
find_path(Arrow_INCLUDE_DIR parquet/api/reader.h NO_DEFAULT_PATH
          PATHS "${EQUIPOISE_PYARROW}" ${_arrow_folder} PATH_SUFFIXES include)
find_file(Arrow_LIBRARY libarrow.so.${_arrow_major} NO_DEFAULT_PATH PATHS "${EQUIPOISE_PYARROW}" ${_arrow_folder})
find_file(Arrow_PARQUET_LIBRARY libparquet.so.${_arrow_major} NO_DEFAULT_PATH PATHS "${EQUIPOISE_PYARROW}" ${_arrow_folder})
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Arrow REQUIRED_VARS Arrow_LIBRARY Arrow_PARQUET_LIBRARY Arrow_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "Parquet files will not be read. setup/arrow.sh installs what is missing.")
if(Arrow_FOUND AND NOT TARGET Arrow::parquet)
  add_library(Arrow::parquet INTERFACE IMPORTED)
  set_target_properties(Arrow::parquet PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${Arrow_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "${Arrow_PARQUET_LIBRARY};${Arrow_LIBRARY}")
endif()
mark_as_advanced(Arrow_INCLUDE_DIR Arrow_LIBRARY Arrow_PARQUET_LIBRARY)
