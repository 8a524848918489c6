#include "device/envelope.h"

#include "base/rfc3339.h"

namespace heliograph::device {
namespace {

Unacceptable FromParseError(const json::ParseError& error) {
  switch (error.fault) {
    case json::Fault::kSyntax:
      return {DeadLetterReason::kNotJson, error.message};
    case json::Fault::kTooDeep:
      return {DeadLetterReason::kTooDeep, error.message};
    case json::Fault::kDuplicateKey:
    case json::Fault::kNumberRange:
      return {DeadLetterReason::kBadField, error.message};
  }
  return {DeadLetterReason::kNotJson, error.message};
}

// What fits 64-bit nanoseconds since 1970, as readers of the log keep times; a device's clock may
// be as wrong as it likes within.
constexpr int kFirstYear = 1970;
constexpr int kLastYear = 2261;

std::optional<Unacceptable> CheckSent(const json::Value& root) {
  const json::Value* sent = FindMember(root, "sent");
  if (sent == nullptr) return std::nullopt;
  if (!sent->is_string()) return BadField("sent", "is not a string");
  const std::string& text = sent->get_ref<const std::string&>();
  if (text.empty()) return std::nullopt;
  const auto time = base::ParseRfc3339(text);
  if (!time) return BadField("sent", "is not an RFC 3339 time");
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(*time)};
  const int year = static_cast<int>(date.year());
  if (year < kFirstYear || year > kLastYear)
    return BadField("sent", "is outside the years 1970 to 2261");
  return std::nullopt;
}

std::optional<Unacceptable> CheckVersion(const json::Value& root) {
  const json::Value* version = FindMember(root, "version");
  if (version == nullptr) return std::nullopt;
  if (!version->is_number_integer()) return BadField("version", "is not a whole number");
  if (*version != 1) return BadField("version", "is not 1");
  return std::nullopt;
}

}  // namespace

Unacceptable BadField(std::string_view name, std::string_view why) {
  return {DeadLetterReason::kBadField, "`" + std::string(name) + "` " + std::string(why)};
}

const json::Value* FindMember(const json::Value& object, const char* name) {
  const auto member = object.find(name);
  return member == object.end() || member->is_null() ? nullptr : &*member;
}

std::string ReadWord(const json::Value& object, const char* name,
                     std::optional<Unacceptable>& fault) {
  const json::Value* member = FindMember(object, name);
  if (member == nullptr || fault) return "";
  if (!member->is_string()) {
    fault = BadField(name, "is not a string");
    return "";
  }
  const std::string& word = member->get_ref<const std::string&>();
  if (word.size() > kLongestWord) {
    fault = BadField(name, "has more than 256 bytes");
    return "";
  }
  return word;
}

std::variant<Envelope, Unacceptable> ParseEnvelope(std::string_view payload) {
  json::Parsed parsed = json::Parse(payload);
  if (!parsed) return FromParseError(parsed.error());
  Envelope envelope;
  envelope.root = std::move(*parsed);
  if (!envelope.root.is_object()) {
    return Unacceptable{DeadLetterReason::kNotAnEnvelope, "the message is not an object"};
  }
  // PostgreSQL cannot store U+0000; its escape is the only way it can stand in valid JSON.
  if (payload.find("\\u0000") != std::string_view::npos) json::RemoveNul(envelope.root);
  if (FindMember(envelope.root, "type") == nullptr) {
    return Unacceptable{DeadLetterReason::kNotAnEnvelope, "the message has no `type`"};
  }
  std::optional<Unacceptable> fault;
  envelope.type = ReadWord(envelope.root, "type", fault);
  envelope.message_id = ReadWord(envelope.root, "message_id", fault);
  envelope.response_to = ReadWord(envelope.root, "response_to", fault);
  if (!fault) fault = CheckVersion(envelope.root);
  if (!fault) fault = CheckSent(envelope.root);
  if (fault) return *std::move(fault);
  return envelope;
}

}  // namespace heliograph::device
