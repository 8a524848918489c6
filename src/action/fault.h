// Why a body is not what it should be.
#pragma once

#include <string>

namespace heliograph::action {

// `field` is a JSON pointer (RFC 6901), "" = the whole body; `message` is a sentence.
struct RequestFault {
  std::string field;
  std::string message;
};

}  // namespace heliograph::action
