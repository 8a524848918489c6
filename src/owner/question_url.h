// Where a service is asked who owns a device. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "device/ids.h"

namespace heliograph::owner {

// The part of a device's certificate's subject that is known here: "CN=<client id>" (RFC 4514).
// The broker lets nobody in whose common name is not his client id; what else the subject holds is
// not passed on.
std::string SubjectOf(const device::ClientId& client_id);

// A URL with "{client_id}", and "{subject}" where that is wanted, in its path or query. Threads:
// immutable.
class QuestionUrl {
 public:
  // kInvalidArgument: it is neither https nor http on this machine, names no client id, has one in
  // the host's name or after a #, or holds other braces.
  static base::Result<QuestionUrl> Parse(std::string_view text);

  // With all of the device's own bytes percent-encoded. kInvalidArgument: "." and "..", which in a
  // path would mean another one.
  base::Result<std::string> For(const device::ClientId& client_id) const;

 private:
  enum class Kind { kText, kClientId, kSubject };
  struct Piece {
    Kind kind = Kind::kText;
    std::string text;  // of kText
  };

  std::vector<Piece> pieces_;
  bool in_path_ = false;  // a client id is
};

}  // namespace heliograph::owner
