// The page monitoring/page/page.html with its style and scripts inserted. embed.py creates it during the build.
#pragma once

#include <string_view>

namespace gan::monitoring {

extern const std::string_view kPageHead;    // everything before the position of a report's data
extern const std::string_view kPageTail;    // everything after it
extern const std::string_view kPagePolicy;  // the Content-Security-Policy header; the page also has it in a meta tag

}  // namespace gan::monitoring
