#include <set>

#include "checkpoint/checkpoint.h"
#include "checkpoint/manifest.h"
#include "checkpoint/safetensors.h"
#include "storage/checksum.h"
#include "storage/counted.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::checkpoint {

namespace {

// Opens one part after checking that it is a regular file with the size and the digest in the manifest. A link is
// refused, because anybody with write access to the run folder could use it to make a run load any file of the machine.
storage::MappedFile OpenVerified(const std::filesystem::path& folder, const Part& part) {
  const std::filesystem::path file = folder / part.name;
  const auto type = TypeOf(file);
  if (type == std::filesystem::file_type::symlink)
    throw DataError(file, "is a symbolic link; a checkpoint must consist of regular files");
  if (type == std::filesystem::file_type::not_found) throw DataError(file, "is missing");
  storage::MappedFile mapped(file);
  const std::uint64_t size = mapped.bytes().size();
  if (size != part.bytes) {
    throw DataError(file, size,
                    "has " + storage::Counted(size, "byte") + ", the manifest says " + std::to_string(part.bytes));
  }
  const std::string digest = storage::DigestOf(mapped.bytes());
  mapped.RequireRead();  // throws IoError: unreadable pages would look like a wrong digest
  if (digest != part.digest) throw DataError(file, "does not match its digest");
  return mapped;
}

// Calls visit(tensor) for every tensor of every part. A name may occur in only one part.
template <typename Visit>
Manifest ForEachTensor(const std::filesystem::path& folder, const Visit& visit) {
  Manifest manifest = ReadManifest(folder);
  std::set<std::string> names;
  for (const Part& part : manifest.parts) {
    const storage::MappedFile mapped = OpenVerified(folder, part);
    // The digest does not make these checks superfluous: it shows that the bytes are those that were written, not that
    // the writer was honest.
    for (const TensorView& tensor : DecodeSafetensors(mapped.bytes(), folder / part.name)) {
      if (!names.insert(tensor.name).second) throw DataError(folder / part.name, "repeats tensor " + tensor.name);
      visit(tensor);
    }
    // The visitor has read the pages again after the digest was computed; they may have become unreadable meanwhile.
    mapped.RequireRead();
  }
  return manifest;
}

}  // namespace

// The tensors are copied, because the mapping ends with each part.
Checkpoint Load(const std::filesystem::path& folder) {
  Checkpoint loaded;
  const Manifest manifest = ForEachTensor(folder, [&](const TensorView& t) {
    loaded.tensors.push_back({t.name, t.dtype, t.shape, {t.data.begin(), t.data.end()}});
  });
  loaded.folder = folder;
  loaded.step = manifest.step;
  loaded.images = manifest.images;
  loaded.lineage = manifest.lineage;
  loaded.state = manifest.state;
  const std::string text = EncodeManifest(manifest);  // equals the file's text: another spelling was rejected
  loaded.digest = storage::DigestOf(std::as_bytes(std::span(text)));
  return loaded;
}

// Decoding alone checks the structure; nothing is kept.
void Verify(const std::filesystem::path& folder) {
  ForEachTensor(folder, [](const TensorView&) {});
}

}  // namespace gan::checkpoint
