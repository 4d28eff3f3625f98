// A few blocks of the inputs' contents. They show when other inputs have the same names and sizes.
#pragma once

#include <string>
#include <string_view>

#include "preprocess/inputs/sources.h"

namespace gan::preprocess {

// Words with a space between them: a digest of all containers, then those of up to eight other files, which are spread
// evenly over the inputs. Of a container at most 16 blocks and the times of an archive's members count, of a file its
// beginning and its end. "-": there is none, or it cannot be read now.
std::string SampleOf(const SourceList& sources);

// False when the contents differ: those of containers, or those of more than half of the other files. "-" fits every
// word, and an empty sample fits every other, because older versions took none.
bool SamplesAgree(std::string_view one, std::string_view other);

// `sample` with the words of `other` in the places of "-".
std::string Completed(const std::string& sample, const std::string& other);

}  // namespace gan::preprocess
