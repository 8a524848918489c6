#include "recorder/slicer.h"

namespace heliograph::recorder {

bool IsAboutData(base::ErrorCode code) {
  return code == base::ErrorCode::kInvalidArgument || code == base::ErrorCode::kTooLarge;
}

bool Slicer::Refused(std::size_t size) {
  if (size <= 1) return true;
  limit_ = size / 2;
  return false;
}

}  // namespace heliograph::recorder
