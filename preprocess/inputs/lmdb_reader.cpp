#include "preprocess/inputs/lmdb_reader.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>

#include "plugin/plugin.h"
#include "preprocess/decode/formats.h"
#include "preprocess/inputs/helper_process.h"
#include "preprocess/inputs/lmdb_plugin.h"

namespace gan::preprocess {

namespace {

std::unique_ptr<LmdbDatabase> OpenDatabase(const std::string& path) {
  Plugin plugin("libgan_lmdb.so");
  auto* const open = plugin.Find<GanOpenLmdb>("GanOpenLmdb");
  if (open == nullptr) throw std::runtime_error("reading LMDB needs libgan_lmdb.so: " + plugin.why());
  return std::unique_ptr<LmdbDatabase>(open(path));
}

// `number`: errno; 0 if the error does not come from the system.
bool SendError(int socket, const std::string& text, int number = 0) {
  const LmdbAnswer answer = {LmdbAnswer::Kind::kError, text.size(), static_cast<std::uint64_t>(number), 0};
  return SendAll(socket, BytesOf(answer)) && SendAll(socket, std::as_bytes(std::span(text)));
}

bool SendEntry(int socket, const LmdbDatabase::Entry& entry, std::size_t most_bytes) {
  const std::size_t sent = std::min(entry.value.size(), most_bytes);
  const LmdbAnswer answer = {LmdbAnswer::Kind::kEntry, entry.key.size(), entry.value.size(), sent};
  return SendAll(socket, BytesOf(answer)) && SendAll(socket, entry.key) && SendAll(socket, entry.value.first(sent));
}

bool SendList(int socket, LmdbDatabase& database) {
  for (std::uint64_t position = 0; const std::optional<LmdbDatabase::Entry> entry = database.At(position); ++position) {
    if (!SendEntry(socket, *entry, kRecognisedBytes)) return false;
  }
  return SendAll(socket, BytesOf(LmdbAnswer()));
}

bool SendOne(int socket, LmdbDatabase& database, std::uint64_t position) {
  const std::optional<LmdbDatabase::Entry> entry = database.At(position);
  if (!entry) return SendError(socket, "the file has changed since it was listed");
  return SendEntry(socket, *entry, entry->value.size());
}

// An error of the library is sent to the parent as text. After a crash the parent finds a closed socket.
bool Answer(int socket, LmdbDatabase& database, const LmdbRequest& request) {
  try {
    return request.kind == LmdbRequest::Kind::kList ? SendList(socket, database)
                                                    : SendOne(socket, database, request.number);
  } catch (const std::system_error& error) {
    return SendError(socket, error.what(), error.code().value());
  } catch (const std::runtime_error& error) {
    return SendError(socket, error.what());
  }
}

}  // namespace

void ServeLmdb(int socket) {
  LmdbRequest request;
  if (!ReceiveAll(socket, WritableBytesOf(request))) return;
  // Only this process loads the plugin, for the file that the first message names.
  std::string path(request.number, '\0');
  if (!ReceiveAll(socket, std::as_writable_bytes(std::span(path)))) return;
  try {
    const std::unique_ptr<LmdbDatabase> database = OpenDatabase(path);
    if (!SendAll(socket, BytesOf(LmdbAnswer()))) return;
    while (ReceiveAll(socket, WritableBytesOf(request)) && Answer(socket, *database, request)) {
    }
  } catch (const std::system_error& error) {
    SendError(socket, error.what(), error.code().value());
  } catch (const std::runtime_error& error) {
    SendError(socket, error.what());
  }
}

}  // namespace gan::preprocess
