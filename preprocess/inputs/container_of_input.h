// Keeps the container of the last input open, because the next input is usually in it too.
#pragma once

#include <cstdint>
#include <memory>

#include "preprocess/inputs/sources.h"

namespace gan::preprocess {

// For one thread at a time, and for one list of sources.
class ContainerOfInput {
 public:
  // The contents of `input`, which is in a container. Throws as ContainerReader::Read() does.
  Contents Read(const SourceList& sources, std::uint64_t input) {
    if (!reader_ || input < begin_ || input >= end_) Open(sources, input);
    return reader_->Read(sources.Position(input), sources.Bytes(input));
  }

 private:
  void Open(const SourceList& sources, std::uint64_t input) {
    reader_.reset();
    reader_ = sources.OpenContainerOf(input);
    begin_ = input;
    end_ = sources.EndOfOrigin(input);
  }

  std::unique_ptr<ContainerReader> reader_;
  std::uint64_t begin_ = 0, end_ = 0;  // the range of inputs that it contains
};

}  // namespace gan::preprocess
