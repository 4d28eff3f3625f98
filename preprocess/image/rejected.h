#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace gan::preprocess {

// Why a picture is not in the data set. quarantine.jsonl uses these names.
enum class Reason {
  kUnreadable,
  kNotAPicture,
  kUnsupported,
  kTruncated,
  kCorrupt,
  kTooLarge,
  kTooSmall,
  kCropped,
  kDuplicate
};
std::string_view Name(Reason reason);  // "unreadable", "not_a_picture", ...

// Thrown when one input is left out; the run continues.
class Rejected : public std::runtime_error {
 public:
  Rejected(Reason reason, const std::string& detail) : std::runtime_error(detail), reason_(reason) {}
  // kUnreadable for a reason that may pass, so the input is worth another try.
  static Rejected ForNow(const std::string& detail) {
    Rejected rejected(Reason::kUnreadable, detail);
    rejected.for_now_ = true;
    return rejected;
  }
  Reason reason() const { return reason_; }
  bool for_now() const { return for_now_; }

 private:
  Reason reason_;
  bool for_now_ = false;
};

}  // namespace gan::preprocess
