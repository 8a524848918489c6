#include "fleet/orders.h"

#include <charconv>
#include <sstream>
#include <vector>

namespace heliograph::fleet {
namespace {

struct Form {
  const char* word;
  Order::Kind kind;
  bool has_name;
  bool has_number;
};

constexpr Form kForms[] = {
    {"kill", Order::Kind::kKill, true, false},     {"offline", Order::Kind::kOffline, true, false},
    {"online", Order::Kind::kOnline, true, false}, {"flap", Order::Kind::kFlap, true, true},
    {"rate", Order::Kind::kRate, false, true},     {"status", Order::Kind::kStatus, false, false},
    {"quit", Order::Kind::kQuit, false, false},
};

bool ReadNumber(const std::string& text, std::int64_t& number) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() && number >= 0;
}

}  // namespace

std::optional<Order> ParseOrder(std::string_view line) {
  std::istringstream in{std::string(line)};
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  if (words.empty()) return std::nullopt;
  for (const Form& form : kForms) {
    if (words[0] != form.word) continue;
    const std::size_t wanted = 1U + (form.has_name ? 1U : 0U) + (form.has_number ? 1U : 0U);
    if (words.size() != wanted) return std::nullopt;
    Order order{form.kind, form.has_name ? words[1] : "", 0};
    if (form.has_number && !ReadNumber(words.back(), order.number)) return std::nullopt;
    return order;
  }
  return std::nullopt;
}

bool Names(const Order& order, std::string_view device) {
  if (order.name.ends_with('*')) {
    return device.starts_with(std::string_view(order.name).substr(0, order.name.size() - 1));
  }
  return order.name == device;
}

}  // namespace heliograph::fleet
