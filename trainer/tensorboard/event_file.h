// TensorBoard's event files: a run's curves and grids for people who look at them there.
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

// One file "events.out.tfevents.SECONDS.HOST.PID" in a folder that TensorBoard watches; records are framed as in
// TFRecord: length, masked CRC32C of it, the event, masked CRC32C of it. A process that is killed leaves at most one
// torn record at the end, which readers skip. Not thread-safe. Throws IoError.
class EventFile {
 public:
  // first_step: the first that will be written; later ones of earlier files, from before a resume, become void.
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
