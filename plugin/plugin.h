// Loads shared libraries while the program runs, so that it starts in milliseconds and loads only the libraries that it
// needs.
#pragma once

#include <dlfcn.h>

#include <string>

namespace gan {

// Where the library's symbols are visible: only to the program that looks them up, or also to all libraries that are
// loaded later.
enum class SymbolScope { kLocal, kGlobal };

// One library, by its file name or path. It stays loaded as long as the process lives. Not thread-safe.
class Plugin {
 public:
  explicit Plugin(const char* file, SymbolScope scope = SymbolScope::kLocal)
      : library_(::dlopen(file, RTLD_NOW | (scope == SymbolScope::kGlobal ? RTLD_GLOBAL : RTLD_LOCAL))) {
    if (library_ == nullptr) why_ = ::dlerror();
  }

  // The function `name`; null when there is none.
  template <typename Function>
  Function* Find(const char* name) {
    void* const found = library_ == nullptr ? nullptr : ::dlsym(library_, name);
    if (found == nullptr && why_.empty()) why_ = ::dlerror();
    return reinterpret_cast<Function*>(found);
  }

  // Why the library or its first missing function was not found; empty when all were found.
  const std::string& why() const { return why_; }

 private:
  void* library_;
  std::string why_;
};

}  // namespace gan
