#include "generate/engine/movie.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "picture/marked_file.h"
#include "storage/errors.h"

namespace gan::generate {

namespace {

// Starts ffmpeg with `input` as its stdin. Returns 0 or the error number. No shell is used, because it would interpret
// special characters in file names.
int Spawn(std::vector<std::string> arguments, int input, pid_t& process) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  const int error = posix_spawnp(&process, "ffmpeg", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

void AppendTo(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream out(file, std::ios::binary | std::ios::app);
  out << bytes;
  out.close();
  if (!out) throw IoError(file, "write", errno);
}

}  // namespace

Movie::Movie(std::filesystem::path path, std::uint32_t width, std::uint32_t height, double frames_per_second)
    : path_(std::move(path)), temporary_(path_.string() + ".tmp-" + std::to_string(::getpid())) {
  ::signal(SIGPIPE, SIG_IGN);  // when ffmpeg ends early, write fails instead of ending this process
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw IoError(path_, "pipe to ffmpeg", errno);
  const std::string size = std::to_string(width) + "x" + std::to_string(height);
  const int error =
      // yuv420p, because many players support no other format in H.264. It halves the resolution of colours, not of
      // brightness.
      Spawn({"ffmpeg",
             "-nostdin",
             "-loglevel",
             "error",
             "-y",
             "-f",
             "rawvideo",
             "-pix_fmt",
             "rgb24",
             "-s",
             size,
             "-r",
             std::to_string(frames_per_second),
             "-i",
             "pipe:0",
             "-c:v",
             "libx264",
             "-crf",
             "16",
             "-pix_fmt",
             "yuv420p",
             "-f",
             "mp4",
             "file:" + temporary_.string()},  // without "file:" a name with a colon begins with a protocol
            ends[0], process_);
  // If this process kept the reading end open, write(2) would wait for ever once ffmpeg has ended.
  ::close(ends[0]);
  pipe_ = ends[1];
  if (error == 0) return;
  ::close(pipe_);
  throw UsageError("--out " + path_.string() + ": MP4 needs the program ffmpeg (" +
                   std::generic_category().message(error) + "); install it, or name a .webp file");
}

Movie::~Movie() {
  // After an error the film is not finished: closing the pipe makes ffmpeg end, and its file is removed.
  if (process_ < 0) return;
  ::close(pipe_);
  Wait();
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void Movie::Add(std::span<const std::uint8_t> rgb) {
  while (!rgb.empty()) {
    const ssize_t n = ::write(pipe_, rgb.data(), rgb.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw IoError(path_, "write to ffmpeg", errno);
    rgb = rgb.subspan(static_cast<std::size_t>(n));
  }
}

int Movie::Wait() {
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
  return status;
}

void Movie::Finish(const std::string& xmp) {
  ::close(pipe_);
  try {
    if (Wait() != 0) throw IoError(path_, "ffmpeg", EIO);
    if (!xmp.empty()) AppendTo(temporary_, picture::Mp4XmpBoxes(xmp));
    std::filesystem::rename(temporary_, path_);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(temporary_, ignored);
    throw;
  }
}

}  // namespace gan::generate
