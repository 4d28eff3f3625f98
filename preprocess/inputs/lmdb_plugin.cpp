// The plugin that links liblmdb.
#include "preprocess/inputs/lmdb_plugin.h"

#include <lmdb.h>

#include <stdexcept>
#include <system_error>

namespace gan::preprocess {

namespace {

// LMDB's own errors have negative numbers, those of the system positive ones.
void Require(int result) {
  if (result > 0) throw std::system_error(result, std::generic_category());
  if (result != MDB_SUCCESS) throw std::runtime_error(::mdb_strerror(result));
}

std::span<const std::byte> ContentOf(const MDB_val& value) {
  return {static_cast<const std::byte*>(value.mv_data), value.mv_size};
}

class Database : public LmdbDatabase {
 public:
  explicit Database(const std::string& path) {
    Require(::mdb_env_create(&environment_));
    // No lock, because its file would have to be written, perhaps on a read-only disk. No read-ahead, because the
    // listing only looks at the beginning of each value. NOSUBDIR: the path is that of the file.
    Require(::mdb_env_open(environment_, path.c_str(), MDB_RDONLY | MDB_NOLOCK | MDB_NOSUBDIR | MDB_NORDAHEAD, 0));
    Require(::mdb_txn_begin(environment_, nullptr, MDB_RDONLY, &transaction_));
    MDB_dbi database = 0;
    Require(::mdb_dbi_open(transaction_, nullptr, 0, &database));
    Require(::mdb_cursor_open(transaction_, database, &cursor_));
  }
  ~Database() override {
    if (cursor_ != nullptr) ::mdb_cursor_close(cursor_);
    if (transaction_ != nullptr) ::mdb_txn_abort(transaction_);
    ::mdb_env_close(environment_);
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  std::optional<Entry> At(std::uint64_t position) override {
    // A cursor has no positions, so going back starts at the first key.
    if (next_ == 0 || position < next_) Step(MDB_FIRST);
    while (is_there_ && next_ <= position) Step(MDB_NEXT);
    if (!is_there_) return std::nullopt;
    return Entry{ContentOf(key_), ContentOf(value_)};
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
  std::uint64_t next_ = 0;  // one past the entry of the cursor; 0: no entry read yet
  bool is_there_ = false;
};

}  // namespace

}  // namespace gan::preprocess

extern "C" __attribute__((visibility("default"))) gan::preprocess::LmdbDatabase* GanOpenLmdb(const std::string& path) {
  return new gan::preprocess::Database(path);
}
