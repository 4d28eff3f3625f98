// Records of the formats whose decoders run apart: in a process of their own, so that a picture that crashes a decoder
// costs that picture and not the run, and so that only such pictures load its libraries.
#pragma once

#include <cstddef>
#include <span>

#include "preprocess/pipeline/record.h"

namespace gan::preprocess {

// A program that calls this first in main() can be its own worker: it is started again with one argument of this name,
// and then this serves and never returns.
void BecomeWorkerWhenAsked(int argc, char** argv);
// Whether it was called; until then, pictures are decoded in the process itself.
bool HasWorkers();

// As MakeRecordHere(), in the calling thread's worker, which is started when there is none. What the worker allocates
// is asked of options.decode.room in this process. Throws Rejected(kCorrupt) when the picture crashes it or takes
// longer than two minutes, std::runtime_error when it cannot be started or is killed from outside again and again.
Record MakeRecordApart(std::span<const std::byte> file, const RecordOptions& options);

}  // namespace gan::preprocess
