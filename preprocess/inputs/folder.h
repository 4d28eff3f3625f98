// The pictures below one folder.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "preprocess/inputs/label_files.h"
#include "preprocess/inputs/sources.h"

namespace gan::preprocess {

// Adds every file below `folder` whose name or content is that of a picture, sorted by name. Links are followed; a
// folder inside itself is not entered again. Hidden files and folders, those in `own`, and files that are not pictures
// are counted in found.left_out(). Links to nothing and folders that cannot be entered become rejected inputs. `labels`
// reads the label files beside the pictures; the caller applies them. Throws IoError when `folder` itself cannot be
// listed, DataError and UsageError for label files.
//
// Returns, if there is no picture at all, the files for which `may_hold_pictures` is true, by name.
using MayHoldPictures = std::function<bool(std::string_view name, std::string_view head)>;
std::vector<std::string> AddFolder(const std::filesystem::path& folder, const OwnFiles& own, LabelFiles& labels,
                                   const MayHoldPictures& may_hold_pictures, SourceList& found);

}  // namespace gan::preprocess
