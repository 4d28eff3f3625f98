// The pages monitoring/page/page.html and runs.html with their styles and scripts inserted. embed.py creates them
// during the build.
#pragma once

#include <string_view>

namespace gan::monitoring {

extern const std::string_view kPageHead;    // everything before the position of a report's data
extern const std::string_view kPageTail;    // everything after it
extern const std::string_view kPagePolicy;  // the Content-Security-Policy header; the page also has it in a meta tag

// The same parts of the page of runs.
extern const std::string_view kRunsPageHead;
extern const std::string_view kRunsPageTail;
extern const std::string_view kRunsPagePolicy;

}  // namespace gan::monitoring
