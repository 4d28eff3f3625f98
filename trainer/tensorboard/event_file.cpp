#include "trainer/tensorboard/event_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <span>

#include "storage/checksum.h"
#include "storage/errors.h"
#include "storage/host_name.h"
#include "trainer/tensorboard/event.pb.h"

namespace gan::tensorboard {

namespace {

static_assert(std::endian::native == std::endian::little, "records are little-endian");

template <typename Number>
std::string Bytes(Number number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

// TFRecord masks checksums, because a checksum of data that contains its own checksum would be weak.
std::string MaskedCrc(const std::string& data) {
  const std::uint32_t crc = storage::Crc32c(std::as_bytes(std::span(data)));
  return Bytes(std::uint32_t{std::rotr(crc, 15) + 0xa282ead8U});
}

wire::Event EventNow(std::uint64_t step) {
  wire::Event event;
  event.set_wall_time(std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count());
  event.set_step(static_cast<std::int64_t>(step));
  return event;
}

// Reads the width or height from a PNG file: big-endian, at bytes 16 and 20 (PNG specification, 11.2.2).
std::int32_t PngNumber(const std::string& png, std::size_t at) {
  std::int32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(png.at(at + i));
  return number;
}

// TensorBoard recognises event files by this name.
// A new file per start, so that nothing follows an incomplete record that a killed process has left.
std::filesystem::path NewName(const std::filesystem::path& folder) {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  return folder / ("events.out.tfevents." + std::to_string(seconds) + "." + storage::HostName() + "." +
                   std::to_string(::getpid()));
}

}  // namespace

std::string Frame(const std::string& event) {
  const std::string length = Bytes(static_cast<std::uint64_t>(event.size()));
  return length + MaskedCrc(length) + event + MaskedCrc(event);
}

EventFile::EventFile(const std::filesystem::path& folder, std::uint64_t first_step) : path_(NewName(folder)) {
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (descriptor_ < 0) throw IoError(path_, "open", errno);
  // The first record must contain the version.
  wire::Event version = EventNow(0);
  version.set_file_version("brain.Event:2");
  Write(version.SerializeAsString());
  // The start of a session makes TensorBoard drop later steps of earlier files.
  // A resumed run or a rollback repeats steps. Without this event TensorBoard would draw both branches as one line.
  wire::Event start = EventNow(first_step);
  start.mutable_session_log()->set_status(wire::SessionLog::START);
  Write(start.SerializeAsString());
}

EventFile::~EventFile() { ::close(descriptor_); }

void EventFile::Add(std::uint64_t step, const std::vector<Scalar>& scalars) {
  wire::Event event = EventNow(step);
  for (const Scalar& scalar : scalars) {
    wire::Summary::Value* value = event.mutable_summary()->add_value();
    value->set_tag(scalar.name);
    // The format has only single-precision numbers.
    value->set_simple_value(static_cast<float>(scalar.value));
  }
  Write(event.SerializeAsString());
}

void EventFile::AddPicture(std::uint64_t step, const std::string& name, const std::string& png) {
  wire::Event event = EventNow(step);
  wire::Summary::Value* value = event.mutable_summary()->add_value();
  value->set_tag(name);
  value->mutable_image()->set_width(PngNumber(png, 16));
  value->mutable_image()->set_height(PngNumber(png, 20));
  value->mutable_image()->set_colorspace(3);
  value->mutable_image()->set_encoded_image_string(png);
  Write(event.SerializeAsString());
}

// One write per record, so that readers rarely see an incomplete one.
void EventFile::Write(const std::string& event) {
  const std::string record = Frame(event);
  for (std::size_t written = 0; written < record.size();) {
    const ssize_t n = ::write(descriptor_, record.data() + written, record.size() - written);
    if (n < 0 && errno != EINTR) {
      const int error = errno;
      // Readers stop at an incomplete record, so nothing may follow one: the partly written record is removed.
      const off_t end = ::lseek(descriptor_, 0, SEEK_END);
      if (end >= 0 && written > 0) (void)!::ftruncate(descriptor_, end - static_cast<off_t>(written));
      throw IoError(path_, "write", error);
    }
    if (n > 0) written += static_cast<std::size_t>(n);
  }
}

}  // namespace gan::tensorboard
