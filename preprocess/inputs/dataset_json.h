// dataset.json of StyleGAN2-ADA and StyleGAN3: {"labels": [["00000/img00000000.png", 5], ...]}, or null for no labels.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace gan::preprocess {

// Calls `take` for each pair, in the file's order. Values are passed on as they are read, so a million of them cost no
// memory. Throws DataError naming `file` and the offset; labels that are vectors are refused by the picture's name.
void ReadStyleGanLabels(const std::string& text, const std::filesystem::path& file,
                        const std::function<void(const std::string& picture, const std::string& label)>& take);

}  // namespace gan::preprocess
