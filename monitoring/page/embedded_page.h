// The page of monitoring/page/page.html with its style and scripts inside, made at build time by embed.py.
#pragma once

#include <string_view>

namespace gan::monitoring {

extern const std::string_view kPageHead;    // up to the slot for a report's data
extern const std::string_view kPageTail;    // from there on
extern const std::string_view kPagePolicy;  // Content-Security-Policy; the page has it in a meta tag as well

}  // namespace gan::monitoring
