#include "preprocess/pipeline/record_worker.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "preprocess/image/rejected.h"
#include "preprocess/inputs/helper_process.h"

namespace gan::preprocess {

namespace {

constexpr const char* kWorkerArgument = "--decode-for-parent";
constexpr int kSocket = HelperProcess::kSocket;
// Far longer than decoding a valid picture takes within the default of --max-pixels.
constexpr int kMostSeconds = 120;
constexpr std::uint64_t kMostTextBytes = 4096;

bool can_be_worker = false;  // set before any thread is started

// Both sides are the same program, so numbers are sent without conversion.
struct Request {
  std::uint64_t bytes = 0;  // length of the file, which follows
  std::uint64_t max_pixels = 0;
  std::uint32_t size = 0, min_side = 0, min_kept = 0;
  Filter filter{};
  Crop crop{};
  DecodeMode mode{};
  std::array<std::uint8_t, 3> background{};
  bool apply_exif = true;
};

enum class Answer : std::uint32_t { kRoom, kRecord, kRejected };
struct Message {
  Answer answer{};
  Reason reason{};  // kRejected
  // kRoom: wanted bytes. kRejected: length of the text that follows. kRecord: length of the pixels.
  std::uint64_t bytes = 0;
  // kRecord: length of the names of the format and its library, which come before the pixels. Each ends with a NUL.
  std::uint64_t text = 0;
};

class SocketClosed {};

// Asks the parent process, which owns the budget.
class ParentsRoom : public Room {
 public:
  void ReserveMore(std::uint64_t bytes) override {
    const Message message = {Answer::kRoom, {}, bytes, 0};
    char granted = 0;
    if (!SendAll(kSocket, BytesOf(message)) || !ReceiveAll(kSocket, WritableBytesOf(granted))) throw SocketClosed();
  }
};

bool SendRejected(const Rejected& rejected) {
  const std::string text = std::string(rejected.what()).substr(0, kMostTextBytes);
  const Message message = {Answer::kRejected, rejected.reason(), text.size(), 0};
  return SendAll(kSocket, BytesOf(message)) && SendAll(kSocket, std::as_bytes(std::span(text)));
}

bool SendRecord(const Record& record) {
  const std::string text = record.format + '\0' + record.library + '\0';
  const Message message = {Answer::kRecord, {}, record.picture.pixels.size(), text.size()};
  return SendAll(kSocket, BytesOf(message)) && SendAll(kSocket, std::as_bytes(std::span(text))) &&
         SendAll(kSocket, std::as_bytes(std::span(record.picture.pixels)));
}

RecordOptions OptionsOf(const Request& request) {
  RecordOptions options{request.size, request.filter, request.crop, request.mode, {}};
  options.decode.background = request.background;
  options.decode.apply_exif = request.apply_exif;
  options.decode.max_pixels = request.max_pixels;
  options.decode.min_side = request.min_side;
  options.decode.min_kept = request.min_kept;
  return options;
}

bool ServeOne() {
  Request request;
  if (!ReceiveAll(kSocket, WritableBytesOf(request))) return false;
  std::vector<std::byte> file(request.bytes);
  if (!ReceiveAll(kSocket, file)) return false;
  ParentsRoom room;
  RecordOptions options = OptionsOf(request);
  // The budget of the parent counts the memory of its workers, so the request is sent over the socket.
  options.decode.room = &room;
  try {
    return SendRecord(MakeRecordHere(file, options));
  } catch (const Rejected& rejected) {
    return SendRejected(rejected);
  } catch (const std::bad_alloc&) {
    return SendRejected(Rejected(Reason::kTooLarge, "not enough memory for it"));
  } catch (const SocketClosed&) {
    return false;
  }
}

// Why a worker returned no record.
struct Failure {
  bool by_kill = false;  // by others (HelperProcess::Ended)
  std::string how;
};

class Worker {
 public:
  // Empty when the worker has ended or does not answer in time; End() then returns which of the two. Throws Rejected.
  std::optional<Record> Ask(std::span<const std::byte> file, const RecordOptions& options) {
    const DecodeOptions& decode = options.decode;
    const Request request = {file.size(),    decode.max_pixels, options.size, decode.min_side,   decode.min_kept,
                             options.filter, options.crop,      options.mode, decode.background, decode.apply_exif};
    if (!SendAll(process_.socket(), BytesOf(request)) || !SendAll(process_.socket(), file)) return std::nullopt;
    Message message;
    // The worker may ask for memory several times before it answers.
    while (ReceiveAll(process_.socket(), WritableBytesOf(message))) {
      if (message.answer == Answer::kRecord) return TakeRecord(message, options.size);
      if (message.answer == Answer::kRejected) return TakeRejected(message);
      if (decode.room != nullptr) decode.room->ReserveMore(message.bytes);
      constexpr char kGranted = 1;
      if (!SendAll(process_.socket(), BytesOf(kGranted))) return std::nullopt;
    }
    return std::nullopt;
  }

  // After Ask() returned nothing: whether the worker crashed, or was too slow and is now killed.
  Failure End() {
    const HelperProcess::Ended ended = process_.End();
    if (ended.was_slow) return {false, "decoding takes over " + std::to_string(kMostSeconds) + " s"};
    if (ended.signal == 0) return {false, "the decoder gave up"};
    return {ended.WasKilled(), std::string("the decoder crashes on it (") + ::strsignal(ended.signal) + ")"};
  }

 private:
  std::optional<Record> TakeRecord(const Message& message, std::uint32_t size) {
    Record record{Rgb8(size, size), {}, {}};
    // Limited, because a worker whose memory a picture has damaged can send any number.
    std::string text(std::min(message.text, kMostTextBytes), '\0');
    if (message.bytes != record.picture.pixels.size() ||
        !ReceiveAll(process_.socket(), std::as_writable_bytes(std::span(text))) ||
        !ReceiveAll(process_.socket(), std::as_writable_bytes(std::span(record.picture.pixels)))) {
      return std::nullopt;
    }
    std::istringstream fields(text);
    std::getline(fields, record.format, '\0');
    std::getline(fields, record.library, '\0');
    return record;
  }

  std::optional<Record> TakeRejected(const Message& message) {
    std::string why(std::min(message.bytes, kMostTextBytes), '\0');
    if (!ReceiveAll(process_.socket(), std::as_writable_bytes(std::span(why)))) return std::nullopt;
    throw Rejected(message.reason, why);
  }

  // Decoders print messages about damaged pictures; the quarantine contains them.
  HelperProcess process_{{kWorkerArgument, "the decoding process", kMostSeconds, false}};
};

}  // namespace

void BecomeWorkerWhenAsked(int argc, char** argv) {
  can_be_worker = true;
  if (argc != 2 || std::strcmp(argv[1], kWorkerArgument) != 0) return;
  // Each picture allocates and frees the same few megabytes. Keeping them in the process saves mapping their pages
  // again.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
  while (ServeOne()) {
  }
  ::_exit(0);
}

bool HasWorkers() { return can_be_worker; }

Record MakeRecordApart(std::span<const std::byte> file, const RecordOptions& options) {
  constexpr int kTries = HelperProcess::kTries;
  // One per thread, so a worker serves one picture at a time and needs no queue.
  thread_local std::optional<Worker> worker;
  Failure failure;
  for (int i = 0; i < kTries; ++i) {
    if (!worker) worker.emplace();
    if (std::optional<Record> record = worker->Ask(file, options)) return std::move(*record);
    failure = worker->End();
    worker.reset();
    // The same picture would crash the worker again, but not repeat a kill from outside.
    if (!failure.by_kill) throw Rejected(Reason::kCorrupt, failure.how);
  }
  // The kills may have nothing to do with the picture, so it is not left out.
  throw std::runtime_error("the decoding process was killed " + std::to_string(kTries) +
                           " times in a row (is there enough memory?); the same command goes on");
}

}  // namespace gan::preprocess
