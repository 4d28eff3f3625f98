// What a file system cannot promise is told once, and the work goes on.
#pragma once

#include <functional>
#include <string>

namespace gan::storage {

// Where warnings of this layer go: to stderr until this is called. Call it before other threads start.
void SetWarningSink(std::function<void(const std::string&)> sink);

// Tells `text` the first time that this process calls it with `topic`, and never again. Thread-safe.
void WarnOnce(const std::string& topic, const std::string& text);

}  // namespace gan::storage
