// Any bytes as each of the files that say which labels pictures have; the first byte chooses which.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "preprocess/inputs/label_files.h"
#include "preprocess/inputs/web_samples.h"
#include "storage/errors.h"
#include "tests/fuzz/fuzz.h"

namespace {

using gan::preprocess::LabelOptions;
using gan::preprocess::SourceList;

constexpr std::array kNames = {"dataset.json", "a/metadata.csv", "metadata.jsonl", "list_attr_celeba.txt",
                               "identity_CelebA.txt"};

void ReadTable(const std::string& name, const std::string& text, const LabelOptions& options) {
  gan::preprocess::LabelFiles files(options, "fuzz");
  files.Read(name, text);
  SourceList sources;
  sources.Begin(SourceList::Kind::kFolder, "fuzz");
  sources.Add("a.png", 1);
  sources.Add("a/b.png", 1);
  files.Apply(sources, 0);
  static_cast<void>(sources.LabelNames());
}

void ReadSample(const std::string& text, const LabelOptions& options) {
  const std::filesystem::path tar = "fuzz.tar";
  gan::preprocess::WebSamples samples(options, tar);
  if (samples.TakeField("a.json")) samples.TakeText("a.json", 1, text);
  if (samples.TakeField("b.cls")) samples.TakeText("b.cls", 3, text);
  SourceList sources;
  sources.Begin(SourceList::Kind::kFolder, tar);
  for (const char* name : {"a.jpg", "a.seg.png", "b.png", "c.png"}) sources.Add(name, 1);
  samples.Apply(sources, 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text = gan::fuzz::Text(data + 1, size - 1);
  const std::size_t which = data[0] % (kNames.size() + 1);
  const LabelOptions options = {gan::preprocess::LabelMode::kAuto, data[0] >= 128 ? "Young" : ""};
  gan::fuzz::ReadOrRefuse([&] {
    try {
      which < kNames.size() ? ReadTable(kNames[which], text, options) : ReadSample(text, options);
    } catch (const gan::UsageError&) {
      return;  // no table has the column
    }
  });
  return 0;
}
