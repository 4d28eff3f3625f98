#include "preprocess/inputs/lmdb_reader.h"

#include <lmdb.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "preprocess/decode/formats.h"
#include "preprocess/inputs/helper_process.h"

namespace gan::preprocess {

namespace {

void Require(int result) {
  if (result != MDB_SUCCESS) throw std::runtime_error(::mdb_strerror(result));
}

std::span<const std::byte> ContentOf(const MDB_val& value) {
  return {static_cast<const std::byte*>(value.mv_data), value.mv_size};
}

// One database, open for reading.
class Database {
 public:
  explicit Database(const std::string& path) {
    Require(::mdb_env_create(&environment_));
    Require(::mdb_env_open(environment_, path.c_str(), MDB_RDONLY | MDB_NOLOCK | MDB_NOSUBDIR | MDB_NORDAHEAD, 0));
    Require(::mdb_txn_begin(environment_, nullptr, MDB_RDONLY, &transaction_));
    MDB_dbi database = 0;
    Require(::mdb_dbi_open(transaction_, nullptr, 0, &database));
    Require(::mdb_cursor_open(transaction_, database, &cursor_));
  }
  ~Database() {
    if (cursor_ != nullptr) ::mdb_cursor_close(cursor_);
    if (transaction_ != nullptr) ::mdb_txn_abort(transaction_);
    ::mdb_env_close(environment_);
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // False beyond the last entry. Going forward is cheap: values that are passed over are not read.
  bool MoveTo(std::uint64_t position, MDB_val& key, MDB_val& value) {
    if (next_ == 0 || position < next_) Step(MDB_FIRST);
    while (is_there_ && next_ <= position) Step(MDB_NEXT);
    key = key_;
    value = value_;
    return is_there_;
  }

 private:
  void Step(MDB_cursor_op operation) {
    const int result = ::mdb_cursor_get(cursor_, &key_, &value_, operation);
    if (result != MDB_NOTFOUND) Require(result);
    is_there_ = result == MDB_SUCCESS;
    next_ = operation == MDB_FIRST ? 1 : next_ + 1;
  }

  MDB_env* environment_ = nullptr;
  MDB_txn* transaction_ = nullptr;
  MDB_cursor* cursor_ = nullptr;
  MDB_val key_{}, value_{};
  std::uint64_t next_ = 0;  // one past the entry that the cursor is at; 0: none yet
  bool is_there_ = false;
};

bool SendError(int socket, const std::string& text) {
  const LmdbAnswer answer = {LmdbAnswer::Kind::kError, text.size(), 0, 0};
  return SendAll(socket, BytesOf(answer)) && SendAll(socket, std::as_bytes(std::span(text)));
}

bool SendEntry(int socket, const MDB_val& key, const MDB_val& value, std::size_t most_bytes) {
  const std::size_t sent = std::min<std::size_t>(value.mv_size, most_bytes);
  const LmdbAnswer answer = {LmdbAnswer::Kind::kEntry, key.mv_size, value.mv_size, sent};
  return SendAll(socket, BytesOf(answer)) && SendAll(socket, ContentOf(key)) &&
         SendAll(socket, ContentOf(value).first(sent));
}

bool SendList(int socket, Database& database) {
  MDB_val key{}, value{};
  for (std::uint64_t position = 0; database.MoveTo(position, key, value); ++position) {
    if (!SendEntry(socket, key, value, kRecognisedBytes)) return false;
  }
  return SendAll(socket, BytesOf(LmdbAnswer()));
}

bool SendOne(int socket, Database& database, std::uint64_t position) {
  MDB_val key{}, value{};
  if (!database.MoveTo(position, key, value)) return SendError(socket, "the file has changed since it was listed");
  return SendEntry(socket, key, value, value.mv_size);
}

bool Answer(int socket, Database& database, const LmdbRequest& request) {
  try {
    return request.kind == LmdbRequest::Kind::kList ? SendList(socket, database)
                                                    : SendOne(socket, database, request.number);
  } catch (const std::runtime_error& error) {
    return SendError(socket, error.what());
  }
}

}  // namespace

void ServeLmdb(int socket) {
  LmdbRequest request;
  if (!ReceiveAll(socket, WritableBytesOf(request))) return;
  std::string path(request.number, '\0');
  if (!ReceiveAll(socket, std::as_writable_bytes(std::span(path)))) return;
  try {
    Database database(path);
    if (!SendAll(socket, BytesOf(LmdbAnswer()))) return;
    while (ReceiveAll(socket, WritableBytesOf(request)) && Answer(socket, database, request)) {
    }
  } catch (const std::runtime_error& error) {
    SendError(socket, error.what());
  }
}

}  // namespace gan::preprocess
