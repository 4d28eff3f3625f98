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

// Adds every file below `folder` that is called like a picture or begins like one, by name. Links are followed; a
// folder inside itself is not entered again. Files and folders with hidden names, what `own` names and what is no
// picture are counted in found.left_out(). Links that lead nowhere and folders that cannot be entered become rejected
// inputs. `labels` reads what files beside the pictures say of their labels; to apply it is the caller's. Throws
// IoError when `folder` itself cannot be listed, DataError and UsageError for those files.
//
// -> when there is not one picture: the files of other kinds that `may_hold_pictures`, by name.
using MayHoldPictures = std::function<bool(std::string_view name, std::string_view head)>;
std::vector<std::string> AddFolder(const std::filesystem::path& folder, const OwnFiles& own, LabelFiles& labels,
                                   const MayHoldPictures& may_hold_pictures, SourceList& found);

}  // namespace gan::preprocess
