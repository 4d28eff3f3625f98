// OpenCV in a process of its own, so that a picture that crashes a decoder costs that picture and not the run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "preprocess/decode/opencv_here.h"

namespace gan::preprocess {

// A program that calls this first in main() can be its own worker: it is started again with one argument of this name,
// and then this serves and never returns. Until it has been called, pictures are decoded in the process itself.
void BecomeOpenCvWorkerWhenAsked(int argc, char** argv);

// As DecodeWithOpenCvHere(), in the calling thread's worker, which is started when there is none. Throws
// Rejected(kCorrupt) when the picture crashes it or takes longer than two minutes, std::runtime_error when it cannot be
// started or is killed from outside again and again.
OpenCvReply DecodeWithOpenCvWorker(std::span<const std::byte> file, std::uint64_t max_pixels);

// The one or the other.
OpenCvReply DecodeApart(std::span<const std::byte> file, std::uint64_t max_pixels);

}  // namespace gan::preprocess
