// Event files for TensorBoard, which show a run's curves and image grids there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace gan::tensorboard {

struct Scalar {
  std::string name;
  double value = 0;
};

// One file "events.out.tfevents.SECONDS.HOST.PID" in a folder that TensorBoard watches. Records have the TFRecord
// format: length, masked CRC32C of the length, event, masked CRC32C of the event. A killed process leaves at most one
// incomplete record at the end, which readers skip. Not thread-safe. Throws IoError.
class EventFile {
 public:
  // first_step: the first step that will be written. TensorBoard then ignores this and later steps in earlier files,
  // from before a resume.
  EventFile(const std::filesystem::path& folder, std::uint64_t first_step);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  void Add(std::uint64_t step, const std::vector<Scalar>& scalars);
  // png: the bytes of a PNG file.
  void AddPicture(std::uint64_t step, const std::string& name, const std::string& png);
  const std::filesystem::path& path() const { return path_; }

 private:
  void Write(const std::string& event);

  std::filesystem::path path_;
  int descriptor_ = -1;
};

// The bytes of one record around `event`.
std::string Frame(const std::string& event);

}  // namespace gan::tensorboard
