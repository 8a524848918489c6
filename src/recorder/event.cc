#include "recorder/event.h"

#include "base/rfc3339.h"

namespace heliograph::recorder {
namespace {

std::string_view TypeOf(device::Change change) {
  switch (change) {
    case device::Change::kOnline:
      return "heliograph.connection.online";
    case device::Change::kOffline:
      return "heliograph.connection.offline";
    case device::Change::kChanged:
    case device::Change::kNone:
      return "heliograph.connection.changed";
  }
  return "heliograph.connection.changed";
}

// Nothing of this needs escapes: topic names and client ids have alphabets without quotes.
std::string WriteHead(device::Change change, const device::Connection& connection,
                      const EventOrigin& origin) {
  std::string out;
  out.reserve(512 + connection.description.canonical_facts.size());
  out.append(R"({"specversion":"1.0","id":")").append(origin.topic);
  out.append("/").append(std::to_string(origin.position.partition));
  out.append("/").append(std::to_string(origin.position.offset));
  out.append(R"(","source":"/heliograph/recorder/)").append(std::to_string(origin.generation));
  out.append(R"(","type":")").append(TypeOf(change));
  out.append(R"(","subject":")").append(connection.client_id.view());
  out.append(R"(","time":")").append(base::FormatRfc3339(origin.time));
  out.append(R"(","datacontenttype":"application/json")");
  return out;
}

}  // namespace

std::string WriteEvent(device::Change change, const device::Connection& connection,
                       const EventOrigin& origin, std::size_t longest) {
  std::string out = WriteHead(change, connection, origin);
  const std::size_t head = out.size();
  out.append(R"(,"data":)").append(device::WriteConnection(connection)).append("}");
  if (out.size() <= longest) return out;
  out.resize(head);
  device::Connection bare = connection;
  bare.description = {};
  return out.append(R"(,"truncated":"true","data":)")
      .append(device::WriteConnection(bare))
      .append("}");
}

}  // namespace heliograph::recorder
