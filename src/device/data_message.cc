#include "device/data_message.h"

#include <utility>

#include "base/rfc3339.h"
#include "device/envelope.h"

namespace heliograph::device {
namespace {

std::size_t SkipSpace(std::string_view text, std::size_t at) {
  while (at < text.size() &&
         (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r'))
    ++at;
  return at;
}

}  // namespace

bool MayBeAnswer(std::string_view payload) {
  constexpr std::string_view kName = "\"response_to\"";
  for (auto found = payload.find(kName); found != std::string_view::npos;
       found = payload.find(kName, found + kName.size())) {
    std::size_t at = SkipSpace(payload, found + kName.size());
    if (at >= payload.size() || payload[at] != ':') continue;
    at = SkipSpace(payload, at + 1);
    if (at + 1 < payload.size() && payload[at] == '"' && payload[at + 1] != '"') return true;
  }
  return false;
}

std::variant<DataMessage, Unacceptable> ParseDataMessage(std::string_view payload) {
  auto parsed = ParseEnvelope(payload);
  if (auto* fault = std::get_if<Unacceptable>(&parsed)) return std::move(*fault);
  Envelope& envelope = std::get<Envelope>(parsed);
  if (envelope.type != "data") {
    return Unacceptable{DeadLetterReason::kUnknownType,
                        "the type '" + envelope.type.substr(0, 64) + "' is not known on `data`"};
  }
  DataMessage message;
  message.message_id = MessageId(std::move(envelope.message_id));
  message.response_to = std::move(envelope.response_to);
  std::optional<Unacceptable> fault;
  message.directive = ReadWord(envelope.root, "directive", fault);
  if (fault) return *std::move(fault);
  if (const json::Value* metadata = FindMember(envelope.root, "metadata")) {
    if (!metadata->is_object()) return BadField("metadata", "is not an object of strings");
    for (const auto& [name, value] : metadata->items()) {
      if (!value.is_string()) return BadField("metadata", "is not an object of strings");
      message.metadata[name] = value.get<std::string>();
    }
  }
  if (const json::Value* content = FindMember(envelope.root, "content")) {
    message.content = json::Write(*content);
  }
  return message;
}

std::string WriteDataMessage(const DataMessage& message, base::Timestamp sent) {
  std::string out = R"({"type":"data","message_id":)";
  json::AppendString(out, message.message_id.view());
  out += R"(,"response_to":)";
  json::AppendString(out, message.response_to);
  out += R"(,"version":1,"sent":")" + base::FormatRfc3339(sent) + R"(","directive":)";
  json::AppendString(out, message.directive);
  out += R"(,"metadata":)";
  out += message.metadata.empty() ? "null" : json::Write(json::Value(message.metadata));
  out += R"(,"content":)" + message.content + "}";
  return out;
}

}  // namespace heliograph::device
