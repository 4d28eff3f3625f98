// Determines the class of each picture from its source.
#pragma once

#include <string>
#include <string_view>

namespace gan::preprocess {

class SourceList;

// kNone: no picture has a label. kFolder: the folders that contain the pictures are the classes. kAuto: the labels that
// the source has: its own list of labels or else its folders, if there are at least two.
enum class LabelMode { kNone, kFolder, kAuto };
std::string_view Name(LabelMode mode);  // "none", "folder", "auto"

struct LabelOptions {
  LabelMode mode = LabelMode::kNone;
  // The label to take from a source with several (--label-column); empty: a label with one of the usual names. If a
  // label is named here, folders are not used as labels.
  std::string column;
};

// Labels the inputs of folders, archives and lists that have none yet, according to options.mode. Call it once, when
// every input is known. In a folder or archive, the class of a picture is the first folder below the common folders of
// all its pictures and below a partition (train, test, ...), so a tree has the same classes wherever it is stored. If
// no folder remains, all pictures are of one class, named after the innermost folder or else the archive. Archives and
// arrays without inner folders that are stored in folders of classes belong to those classes. A listed path belongs to
// its folder.
void LabelByFolders(const LabelOptions& options, SourceList& sources);

// Adds notes for the user to `sources`: only one class, pictures without a label.
void TellAboutLabels(const LabelOptions& options, SourceList& sources);

}  // namespace gan::preprocess
