// Makes records of formats whose decoders run in a separate process. A picture that crashes a decoder then costs that
// picture and not the run, and only such pictures load the decoder's libraries.
#pragma once

#include <cstddef>
#include <span>

#include "preprocess/pipeline/record.h"

namespace gan::preprocess {

// Call this first in main(). The program starts itself again as a worker, with this argument; then the call serves the
// parent and never returns.
void BecomeWorkerWhenAsked(int argc, char** argv);
// Whether BecomeWorkerWhenAsked() was called; otherwise pictures are decoded in this process.
bool HasWorkers();

// As MakeRecordHere(), in the worker of the calling thread, which is started when there is none. The worker asks
// options.decode.room in this process before it allocates memory. Throws Rejected(kCorrupt) when the picture crashes it
// or takes longer than two minutes, std::runtime_error when it cannot be started or is repeatedly killed from outside.
Record MakeRecordApart(std::span<const std::byte> file, const RecordOptions& options);

}  // namespace gan::preprocess
