#include "preprocess/inputs/arrays.h"

#include <algorithm>
#include <array>
#include <regex>
#include <utility>

#include "preprocess/image/rejected.h"
#include "preprocess/inputs/array_reader.h"
#include "preprocess/inputs/path_text.h"
#include "preprocess/inputs/text_lines.h"
#include "storage/counted.h"
#include "storage/errors.h"

namespace gan::preprocess {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 3> kNameFiles = {"batches.meta.txt", "fine_label_names.txt",
                                                        "coarse_label_names.txt"};

bool IsNameFile(std::string_view name) {
  return std::find(kNameFiles.begin(), kNameFiles.end(), FileOf(name)) != kNameFiles.end();
}

bool IsCifar10(std::string_view name) {
  static const std::regex kBatch("data_batch_[0-9]{1,3}\\.bin|test_batch\\.bin");
  const std::string_view file = FileOf(name);
  return std::regex_match(file.begin(), file.end(), kBatch);
}

bool MayBeCifar100(std::string_view name) { return FileOf(name) == "train.bin" || FileOf(name) == "test.bin"; }

bool IsCompressedIdx(std::string_view name) {
  return name.ends_with("idx3-ubyte.gz") || name.ends_with("idx1-ubyte.gz");
}

// The usual names of the label array of an array of pictures, as in MNIST, Keras and MedMNIST.
std::vector<std::string> LabelNamesFor(const std::string& pictures) {
  constexpr std::array<std::pair<const char*, const char*>, 9> kPairs = {{{"images", "labels"},
                                                                          {"image", "label"},
                                                                          {"images", "targets"},
                                                                          {"data", "labels"},
                                                                          {"data", "targets"},
                                                                          {"x", "y"},
                                                                          {"X", "y"},
                                                                          {"images", "label"},
                                                                          {"arr_0", "arr_1"}}};
  const std::string folder(FoldersOf(pictures)), file(FileOf(pictures));
  std::vector<std::string> names;
  for (const auto& [from, to] : kPairs) {
    const std::size_t at = file.rfind(from);
    if (at == std::string::npos) continue;
    std::string name = file;
    name.replace(at, std::string_view(from).size(), to);
    const std::size_t kind = name.find("idx3");
    if (kind != std::string::npos) name.replace(kind, 4, "idx1");
    names.push_back(folder + name);
  }
  return names;
}

std::string WithoutExtension(std::string_view name) {
  const std::string_view file = FileOf(name);
  return std::string(file.substr(0, file.find('.')));
}

}  // namespace

bool Arrays::IsOne(std::string_view name, std::string_view head) {
  return BeginsLikeAnArray(head) || IsCifar10(name) || MayBeCifar100(name) || IsNameFile(name) || IsCompressedIdx(name);
}

// Damage ends the run, because a data set without this array would be incomplete.
template <typename Read>
void Arrays::OrDataError(const std::string& name, const Read& read) const {
  try {
    read();
  } catch (const Rejected& damage) {
    throw DataError(root_ / name, damage.what());
  }
}

void Arrays::Take(const std::string& name, ByteOrigin origin, std::uint64_t bytes) {
  if (IsCompressedIdx(name)) origin.kind = ByteOrigin::Kind::kCompressed;
  File file{std::move(origin), bytes, std::nullopt};
  // CIFAR's files have no header, so they are recognised by name.
  if (!IsCifar10(name) && !MayBeCifar100(name) && !IsNameFile(name)) {
    std::string head(storage::kMaxNpyHeaderBytes, '\0');
    OrDataError(name, [&] { head.resize(ByteSource(file.origin).ReadAt(0, std::as_writable_bytes(std::span(head)))); });
    file.header = ReadArrayHeader(head, root_ / name);
    if (!file.header) return;
  }
  // The last of several members of one name counts, as when a tar is unpacked.
  files_.insert_or_assign(name, std::move(file));
}

void Arrays::TakeWithLabels(const std::string& name) {
  const auto take = [&](const std::string& file) {
    std::error_code none;
    const std::uint64_t bytes = fs::file_size(root_ / file, none);
    if (!none && !files_.contains(file)) Take(file, {root_ / file, ByteOrigin::Kind::kPlain, 0}, bytes);
  };
  take(name);
  for (const std::string_view names : kNameFiles) take(std::string(names));
  if (!options_.column.empty()) take(options_.column + ".npy");
  for (const std::string& labels : LabelNamesFor(name)) {
    take(labels);
    if (labels.ends_with(".gz"))
      take(labels.substr(0, labels.size() - 3));
    else
      take(labels + ".gz");
  }
}

void Arrays::AddTo(SourceList& sources) {
  for (const auto& [name, file] : files_) {
    if (IsNameFile(name) || IsUnpackedToo(name)) {
      sources.left_out().CountByExtension(name);
      continue;
    }
    OrDataError(name, [&, &array = name, &its = file] {
      its.header ? AddArray(array, its, sources) : AddCifar(array, its, sources);
    });
  }
  TellOfThreePlanes(sources);
}

// Warns of an array [3, height, width]. It counts as three grey pictures, but it may be the tensor of one colour
// picture.
void Arrays::TellOfThreePlanes(SourceList& sources) const {
  const auto has_three = [](const auto& array) {
    const std::optional<ArrayHeader>& header = array.second.header;
    return header && !header->is_idx && header->IsBytes() && header->shape.size() == 3 && header->shape[0] == 3;
  };
  const auto example = std::find_if(files_.begin(), files_.end(), has_three);
  if (example == files_.end()) return;
  sources.Note(storage::Counted(std::count_if(files_.begin(), files_.end(), has_three), "array is", "arrays are") +
               " read as three grey pictures each, for example " + example->first + " " +
               example->second.header->Words() + "; one picture is [height, width, 3] or [1, 3, height, width]");
}

// torchvision keeps the .gz files of MNIST beside the unpacked ones.
bool Arrays::IsUnpackedToo(const std::string& name) const {
  return name.ends_with(".gz") && files_.contains(name.substr(0, name.size() - 3));
}

void Arrays::AddArray(const std::string& name, const File& file, SourceList& sources) {
  const std::optional<PictureArray> layout = LayoutOf(*file.header, root_ / name);
  if (!layout) return sources.left_out().Count("array without pictures", name + " " + file.header->Words());
  const std::uint64_t length = LengthOf(file);
  if (length < layout->offset || (length - layout->offset) / layout->stride() < layout->count) {
    throw DataError(root_ / name, length,
                    "ends before the " + storage::Counted(layout->count, "picture") + " that its header tells");
  }
  Add(name, file, *layout, sources);
  Label(name, layout->count, sources);
}

void Arrays::AddCifar(const std::string& name, const File& file, SourceList& sources) {
  const bool is_100 = MayBeCifar100(name);
  // "train.bin" is a common name. It counts as CIFAR-100 only with the file of label names beside it.
  if (is_100 && !files_.contains(std::string(FoldersOf(name)) + "fine_label_names.txt"))
    return sources.left_out().CountByExtension(name);
  PictureArray layout{.width = 32, .height = 32, .channels = 3, .prefix = is_100 ? 2U : 1U, .is_planar = true};
  const std::uint64_t length = LengthOf(file);
  if (length % layout.stride() != 0 || length == 0) {
    throw DataError(root_ / name, length,
                    "is no file of CIFAR: its length is no multiple of " + std::to_string(layout.stride()));
  }
  layout.count = length / layout.stride();
  Add(name, file, layout, sources);
  if (options_.mode == LabelMode::kAuto) LabelCifar(name, file, layout, sources);
}

void Arrays::Add(const std::string& name, const File& file, const PictureArray& layout, SourceList& sources) const {
  const auto open = [origin = file.origin, layout] { return OpenArray(origin, layout); };
  sources.BeginContainer(root_ / name, open, 0, name.size());
  sources.SetFile(file.origin.file);
  if (layout.is_one) return sources.Add(name, layout.pixel_bytes());
  for (std::uint64_t i = 0; i < layout.count; ++i) {
    sources.Add(name + "/" + std::to_string(i), layout.pixel_bytes(), static_cast<std::uint32_t>(i));
  }
}

const std::string* Arrays::FindLabels(const std::string& pictures) const {
  for (const auto& [name, file] : files_) {
    if (!options_.column.empty() && WithoutExtension(name) == options_.column) return &name;
  }
  if (!options_.column.empty()) return nullptr;
  for (const std::string& wanted : LabelNamesFor(pictures)) {
    // Pictures may be compressed and their labels not, or the reverse.
    for (const std::string& name : {wanted, wanted + ".gz", wanted.substr(0, wanted.rfind(".gz"))}) {
      const auto found = files_.find(name);
      if (found != files_.end() && name != pictures) return &found->first;
    }
  }
  return nullptr;
}

void Arrays::OfferColumns(SourceList& sources) const {
  for (const auto& [name, file] : files_) {
    const std::string column = WithoutExtension(name);
    if (file.header && (file.header->shape.size() < 3 || column == options_.column)) sources.OfferLabelColumn(column);
  }
}

void Arrays::Label(const std::string& name, std::uint64_t count, SourceList& sources) {
  if (options_.mode != LabelMode::kAuto) return;
  OfferColumns(sources);
  const std::string* const labels = FindLabels(name);
  if (labels == nullptr) return;
  const File& file = files_.at(*labels);
  if (!file.header) return;
  const std::vector<std::string> numbers = ReadNumbers(*file.header, ReadAll(*labels, file), root_ / *labels);
  if (numbers.size() != count) {
    throw DataError(root_ / *labels, "has " + storage::Counted(numbers.size(), "label") + "; " + name + " has " +
                                         storage::Counted(count, "picture"));
  }
  sources.KnowLabels();
  // The pictures are the inputs that were added last.
  const std::uint64_t first = sources.size() - count;
  for (std::uint64_t i = 0; i < count; ++i) sources.SetClass(first + i, numbers[i]);
}

std::vector<std::string> Arrays::CifarNames(bool is_cifar_100, bool is_coarse) const {
  const std::string_view wanted = !is_cifar_100 ? kNameFiles[0] : kNameFiles[is_coarse ? 2 : 1];
  const auto found =
      std::find_if(files_.begin(), files_.end(), [&](const auto& f) { return FileOf(f.first) == wanted; });
  std::vector<std::string> names;
  if (found == files_.end()) return names;
  ForEachLine(ReadAll(found->first, found->second),
              [&](std::string_view line, std::size_t /*offset*/) { names.emplace_back(line); });
  return names;
}

void Arrays::LabelCifar(const std::string& name, const File& file, const PictureArray& layout, SourceList& sources) {
  const bool is_100 = layout.prefix == 2;
  const bool is_coarse = is_100 && options_.column == "coarse_label";
  sources.OfferLabelColumn(is_100 ? "fine_label" : "label");
  if (is_100) sources.OfferLabelColumn("coarse_label");
  const std::vector<std::string> names = CifarNames(is_100, is_coarse);
  sources.KnowLabels();
  sources.DeclareLabels(names);
  ByteSource source(file.origin);
  const std::uint64_t first = sources.size() - layout.count;
  for (std::uint64_t i = 0; i < layout.count; ++i) {
    std::array<std::byte, 2> label{};
    // CIFAR-10 has a label in front of a picture. CIFAR-100 has the coarse label and then the fine one.
    source.ReadAt(i * layout.stride(), std::span(label).first(layout.prefix));
    const auto number = static_cast<std::size_t>(label[is_100 && !is_coarse ? 1 : 0]);
    if (!names.empty() && number >= names.size()) {
      throw DataError(root_ / name, i * layout.stride(),
                      "has the label " + std::to_string(number) + ", which has no name");
    }
    sources.SetLabel(first + i, names.empty() ? std::to_string(number) : names[number]);
  }
}

std::string Arrays::ReadAll(const std::string& name, const File& file) const {
  constexpr std::size_t kBlock = std::size_t{1} << 16;
  ByteSource source(file.origin);
  std::string text;
  for (std::size_t got = kBlock; got == kBlock;) {
    const std::size_t before = text.size();
    text.resize(before + kBlock);
    got = source.ReadAt(before, std::as_writable_bytes(std::span(text)).subspan(before));
    text.resize(before + got);
    if (text.size() > kMaxTextBytes) throw DataError(root_ / name, "labels of over 256 MiB");
  }
  return text;
}

std::uint64_t Arrays::LengthOf(const File& file) const {
  if (file.origin.kind != ByteOrigin::Kind::kCompressed) return file.bytes;
  constexpr std::size_t kBlock = std::size_t{1} << 16;
  // Only unpacking all of it gives the length. RequireRatio() ends that for a file that grows too much.
  const std::uint64_t packed = fs::file_size(file.origin.file);
  std::vector<std::byte> block(kBlock);
  ByteSource source(file.origin);
  std::uint64_t length = 0;
  for (std::size_t got = kBlock; got == kBlock; length += got) {
    got = source.ReadAt(length, block);
    RequireRatio(length + got, packed);
  }
  return length;
}

}  // namespace gan::preprocess
