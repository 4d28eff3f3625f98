#include "cli/build_facts.h"

namespace gan::cli {

// The build system defines these macros.
std::string BuildFacts() {
  return "Equipoise " EQUIPOISE_VERSION "\ncompiler " __VERSION__ "\nbuild " EQUIPOISE_BUILD_TYPE
         "\nlibraries " EQUIPOISE_LIBRARIES "\n";
}

std::string Version() { return EQUIPOISE_VERSION; }

}  // namespace gan::cli
