// Which class each picture belongs to, as its source says it.
#pragma once

#include <string>
#include <string_view>

namespace gan::preprocess {

class SourceList;

// kNone: no picture has a label. kFolder: the folders that hold the pictures are the classes. kAuto: what the source
// has, which is its own list of labels or else its folders, where these are at least two.
enum class LabelMode { kNone, kFolder, kAuto };
std::string_view Name(LabelMode mode);  // "none", "folder", "auto"

struct LabelOptions {
  LabelMode mode = LabelMode::kNone;
  // Which of several labels a source with a choice gives (--label-column); empty: the usual one. Where it is named,
  // folders label nothing.
  std::string column;
};

// Labels the inputs of folders, archives and lists that have none yet, as options.mode says. Called once, when every
// input is known. Per folder or archive: the class is the first folder below those that hold all of its pictures and
// below a partition (train, test, ...); so a tree has the same classes whatever holds it. Where no folder is left, all
// are of one class, which is called like the innermost folder or else the archive. Archives and arrays without folders
// in them, below folders of classes, are of these. A listed path belongs to its folder.
void LabelByFolders(const LabelOptions& options, SourceList& sources);

// Adds what the user should know to the notes of `sources`: a single class, pictures without a label.
void TellAboutLabels(const LabelOptions& options, SourceList& sources);

}  // namespace gan::preprocess
