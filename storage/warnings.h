// Warnings about guarantees that a file system does not give. Each is logged once, and the work continues.
#pragma once

#include <functional>
#include <string>

namespace gan::storage {

// Sets the function that receives the warnings of this layer. The default writes to stderr. Call it before other
// threads start.
void SetWarningSink(std::function<void(const std::string&)> sink);

// Logs `text` when this process calls it with `topic` for the first time, and never again. Thread-safe.
void WarnOnce(const std::string& topic, const std::string& text);

}  // namespace gan::storage
