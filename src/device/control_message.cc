#include "device/control_message.h"

#include <utility>

#include "device/envelope.h"

namespace heliograph::device {
namespace {

using Fault = std::optional<Unacceptable>;

std::optional<SessionId> ReadSession(const json::Value& content, Fault& fault) {
  std::string id = ReadWord(content, "session_id", fault);
  if (id.empty()) return std::nullopt;
  return SessionId(std::move(id));
}

std::string ReadAnything(const json::Value& content, const char* name) {
  const json::Value* member = FindMember(content, name);
  return member == nullptr ? "null" : json::Write(*member);
}

// An object whose members all satisfy `is_member`, or null.
template <class Predicate>
std::string ReadObjectOf(const json::Value& content, const char* name, const char* of_what,
                         Predicate is_member, Fault& fault) {
  const json::Value* object = FindMember(content, name);
  if (object == nullptr || fault) return "null";
  bool right = object->is_object();
  if (right) {
    for (const json::Value& member : *object) right = right && is_member(member);
  }
  if (!right) {
    fault = BadField(name, std::string("is not an object of ") + of_what);
    return "null";
  }
  return json::Write(*object);
}

Online ReadOnline(const json::Value& content, Fault& fault) {
  Online online;
  online.session_id = ReadSession(content, fault);
  Description& description = online.description;
  description.canonical_facts = ReadAnything(content, "canonical_facts");
  description.dispatchers = ReadObjectOf(
      content, "dispatchers", "objects",
      [](const json::Value& member) { return member.is_object() || member.is_null(); }, fault);
  description.tags = ReadObjectOf(
      content, "tags", "strings", [](const json::Value& member) { return member.is_string(); },
      fault);
  description.client_name = ReadWord(content, "client_name", fault);
  description.client_version = ReadWord(content, "client_version", fault);
  return online;
}

Offline ReadOffline(const json::Value& content, Fault& fault) {
  Offline offline;
  offline.session_id = ReadSession(content, fault);
  offline.reason = ReadWord(content, "reason", fault);
  if (offline.reason.empty()) offline.reason = "said_offline";
  return offline;
}

std::variant<Online, Offline> ReadConnectionStatus(const json::Value& root, Fault& fault) {
  const json::Value* content = FindMember(root, "content");
  if (content == nullptr || !content->is_object()) {
    fault = BadField("content", content == nullptr ? "is missing" : "is not an object");
    return Offline{};
  }
  const std::string state = ReadWord(*content, "state", fault);
  if (state == "online") return ReadOnline(*content, fault);
  if (state == "offline") return ReadOffline(*content, fault);
  if (!fault) fault = BadField("content.state", "is neither \"online\" nor \"offline\"");
  return Offline{};
}

}  // namespace

std::variant<ControlMessage, Unacceptable> ParseControlMessage(std::string_view payload) {
  auto parsed = ParseEnvelope(payload);
  if (auto* fault = std::get_if<Unacceptable>(&parsed)) return std::move(*fault);
  Envelope& envelope = std::get<Envelope>(parsed);
  ControlMessage message;
  message.message_id = MessageId(std::move(envelope.message_id));
  Fault fault;
  if (envelope.type == "connection-status") {
    std::visit([&]<class T>(T&& body) { message.body = std::forward<T>(body); },
               ReadConnectionStatus(envelope.root, fault));
  } else if (envelope.type == "event") {
    if (FindMember(envelope.root, "content") == nullptr) fault = BadField("content", "is missing");
    message.body =
        DeviceEvent{ReadWord(envelope.root, "content", fault), std::move(envelope.response_to)};
  } else {
    return Unacceptable{DeadLetterReason::kUnknownType,
                        "the type '" + envelope.type.substr(0, 64) + "' is not known"};
  }
  if (fault) return *std::move(fault);
  return message;
}

}  // namespace heliograph::device
