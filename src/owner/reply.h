// What a service answers when it is asked who owns a device. Pure.
#pragma once

#include <string>
#include <string_view>

#include "owner/resolver.h"

namespace heliograph::owner {

struct Reply {
  enum class Kind {
    kOwned,
    kNobody,      // it is nobody's, says the service
    kRefused,     // no answer to this question; others may be answered
    kWrong,       // what no such service answers: nothing is known
    kUnanswered,  // it could not be reached, or not in time
  };

  Kind kind = Kind::kUnanswered;
  Owner owner = {};      // of kOwned
  std::string why = {};  // of the last three; nothing that the service sent, but its status

  bool told() const { return kind == Kind::kOwned || kind == Kind::kNobody; }
};

// 200 and {"tenant": "…"}: that one's; 404, or 200 and {"tenant": null}: nobody's. All else tells
// nothing. Members that are not known are passed over.
Reply ReadReply(int status, std::string_view body);

}  // namespace heliograph::owner
