// File systems without locks, without fsync of folders, without mappings: calls of the C library are replaced here by
// ones that answer as such file systems do.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "storage/errors.h"
#include "storage/files.h"
#include "storage/warnings.h"
#include "tests/storage/temporary_folder.h"

namespace {

int flock_error = 0;
int folder_sync_error = 0;
int shared_mapping_error = 0;
int private_mapping_error = 0;
size_t most_written = SIZE_MAX;  // bytes per call

bool IsFolder(int descriptor) {
  struct stat status = {};
  return ::fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode);
}

int Fail(int error) {
  errno = error;
  return -1;
}

}  // namespace

extern "C" {

int flock(int descriptor, int operation) noexcept {
  return flock_error != 0 ? Fail(flock_error) : static_cast<int>(::syscall(SYS_flock, descriptor, operation));
}

int fsync(int descriptor) {
  if (folder_sync_error != 0 && IsFolder(descriptor)) return Fail(folder_sync_error);
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

// A full disk takes the first bytes, which is no error and leaves errno alone.
ssize_t write(int descriptor, const void* bytes, size_t count) {
  return ::syscall(SYS_write, descriptor, bytes, std::min(count, most_written));
}

void* mmap(void* address, size_t size, int protection, int flags, int descriptor, off_t offset) noexcept {
  const bool is_file = (flags & MAP_ANONYMOUS) == 0;
  const int error = (flags & MAP_SHARED) != 0 ? shared_mapping_error : private_mapping_error;
  if (is_file && error != 0) {
    errno = error;
    return MAP_FAILED;
  }
  const long mapped = ::syscall(SYS_mmap, address, size, protection, flags, descriptor, offset);
  return reinterpret_cast<void*>(mapped);  // NOLINT(performance-no-int-to-ptr): an address, or MAP_FAILED
}

}  // extern "C"

namespace gan::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class LesserFileSystem : public ::testing::Test {
 protected:
  LesserFileSystem() {
    SetWarningSink([](const std::string& text) { warnings_.push_back(text); });
  }
  ~LesserFileSystem() override {
    flock_error = folder_sync_error = shared_mapping_error = private_mapping_error = 0;
    most_written = SIZE_MAX;
  }

  std::string Held() const { return ReadFile(folder_ / ".lock.held"); }
  void WriteHeld(const std::string& text) const { std::ofstream(folder_ / ".lock.held") << text; }

  testing::TemporaryFolder folder_;
  static inline std::vector<std::string> warnings_;  // of the whole program: each is given once
};

TEST_F(LesserFileSystem, WithoutLocksAFileStandsIn) {
  for (const int error : {ENOSYS, ENOLCK, EOPNOTSUPP}) {
    flock_error = error;
    {
      const FolderLock first(folder_.path());
      EXPECT_THAT([&] { FolderLock second(folder_.path()); },
                  ThrowsMessage<UsageError>(HasSubstr("in use by process " + std::to_string(::getpid()))));
      EXPECT_THAT(Held(), HasSubstr(std::to_string(::getpid())));
    }
    EXPECT_FALSE(std::filesystem::exists(folder_ / ".lock.held"));
  }
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("has no locks")));
}

TEST_F(LesserFileSystem, TheFileOfAProcessThatIsGoneIsTakenOver) {
  flock_error = ENOSYS;
  std::string host(256, '\0');
  ASSERT_EQ(::gethostname(host.data(), host.size() - 1), 0);
  host = host.c_str();
  for (const std::string& holder : {host + " 999999999 1\n", host + " " + std::to_string(::getpid()) + " 1\n"}) {
    WriteHeld(holder);  // the second: a process that had our number before us
    const FolderLock lock(folder_.path());
    EXPECT_THAT(Held(), HasSubstr(std::to_string(::getpid())));
  }
}

TEST_F(LesserFileSystem, TheFileOfAnotherHostIsBelieved) {
  flock_error = ENOSYS;
  WriteHeld("another-host 1 1\n");
  EXPECT_THAT(
      [&] { FolderLock lock(folder_.path()); },
      ThrowsMessage<UsageError>(HasSubstr("if that process has ended, remove " + (folder_ / ".lock.held").string())));
}

TEST_F(LesserFileSystem, AFileThatIsWrittenInPartIsNoLock) {
  flock_error = ENOSYS;
  most_written = 4;
  errno = 0;
  EXPECT_THAT([&] { FolderLock lock(folder_.path()); }, ThrowsMessage<IoError>(HasSubstr("No space left on device")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / ".lock.held"));
}

TEST_F(LesserFileSystem, AnyOtherErrorOfTheLockIsOne) {
  flock_error = EIO;
  EXPECT_THROW(FolderLock{folder_.path()}, IoError);
}

TEST_F(LesserFileSystem, WithoutFsyncOfFoldersFilesAreWrittenAllTheSame) {
  const std::size_t before = warnings_.size();
  for (const int error : {EINVAL, EOPNOTSUPP}) {
    folder_sync_error = error;
    WriteFileAtomically(folder_ / "a", "text");
    EXPECT_TRUE(MakeFolders(folder_ / ("b" + std::to_string(error))));
  }
  EXPECT_EQ(ReadFile(folder_ / "a"), "text");
  ASSERT_EQ(warnings_.size(), before + 1);
  EXPECT_THAT(warnings_.back(), HasSubstr("newest files may be missing"));
  folder_sync_error = EIO;
  EXPECT_THROW(WriteFileAtomically(folder_ / "a", "new"), IoError);
}

TEST_F(LesserFileSystem, WithoutSharedMappingsAPrivateOneServes) {
  WriteFileAtomically(folder_ / "a", "text");
  const std::size_t before = warnings_.size();
  shared_mapping_error = ENODEV;
  const MappedFile file(folder_ / "a");
  EXPECT_EQ(file.bytes()[3], std::byte{'t'});
  EXPECT_EQ(warnings_.size(), before);
}

TEST_F(LesserFileSystem, WithoutMappingsTheFileIsRead) {
  const std::string text(100'000, 'x');
  WriteFileAtomically(folder_ / "a", text);
  const std::size_t before = warnings_.size();
  shared_mapping_error = private_mapping_error = ENODEV;
  for (int i = 0; i < 2; ++i) {
    const MappedFile file(folder_ / "a");
    file.ReleasePages(file.bytes());  // must not drop the only copy
    const auto* bytes = reinterpret_cast<const char*>(file.bytes().data());
    EXPECT_EQ(std::string(bytes, file.bytes().size()), text);
    EXPECT_NO_THROW(file.RequireRead());
  }
  ASSERT_EQ(warnings_.size(), before + 1);
  EXPECT_THAT(warnings_.back(), HasSubstr("has no mappings"));
  shared_mapping_error = EACCES;
  EXPECT_THROW(MappedFile(folder_ / "a"), IoError);
}

}  // namespace
}  // namespace gan::storage
