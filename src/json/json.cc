#include "json/json.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace heliograph::json {
namespace {

// Builds the value and refuses what the grammar allows but we do not. Without recursion, so depth
// costs no stack.
class Builder final : public nlohmann::json_sax<Value> {
 public:
  explicit Builder(const Limits& limits) : limits_(limits) {}

  bool null() override { return Put(Value(nullptr)); }
  bool boolean(bool value) override { return Put(Value(value)); }
  bool number_integer(number_integer_t value) override { return Put(Value(value)); }
  bool number_unsigned(number_unsigned_t value) override { return Put(Value(value)); }
  bool number_float(number_float_t value, const string_t&) override { return Put(Value(value)); }
  bool string(string_t& value) override { return Put(Value(std::move(value))); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return Open(Value::object()); }
  bool start_array(std::size_t) override { return Open(Value::array()); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }

  bool key(string_t& name) override {
    if (open_.back()->contains(name)) {
      error_ = {Fault::kDuplicateKey,
                "the name '" + name.substr(0, 64) + "' stands twice in one object"};
      return false;
    }
    key_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& cause) override {
    // 406: a number that no double holds. The library's text may quote the input, so it is not
    // passed on.
    const bool range = cause.id == 406;
    error_ = {range ? Fault::kNumberRange : Fault::kSyntax,
              (range ? "a number out of range" : "not JSON") + std::string(" at byte ") +
                  std::to_string(position)};
    return false;
  }

  Parsed Take(bool complete) && {
    if (!complete) return std::move(error_);
    return std::move(root_);
  }

 private:
  bool Open(Value container) {
    if (open_.size() >= limits_.max_depth) {
      error_ = {Fault::kTooDeep, "deeper than " + std::to_string(limits_.max_depth) + " levels"};
      return false;
    }
    open_.push_back(Place(std::move(container)));
    return true;
  }

  bool Close() {
    open_.pop_back();
    return true;
  }

  bool Put(Value value) {
    Place(std::move(value));
    return true;
  }

  // Parents do not move while a child is open: an object is a node map, and an array grows only at
  // its open end.
  Value* Place(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Value& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[key_] = std::move(value));
  }

  const Limits& limits_;
  Value root_;
  std::vector<Value*> open_;
  std::string key_;
  ParseError error_;
};

void RemoveNulFrom(std::string& text) { std::erase(text, '\0'); }

}  // namespace

Parsed Parse(std::string_view text, const Limits& limits) {
  // The library takes a NUL for the end of its input and would not look at what follows.
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    return ParseError{Fault::kSyntax, "not JSON at byte " + std::to_string(nul)};
  }
  Builder builder(limits);
  const bool complete = Value::sax_parse(text.begin(), text.end(), &builder);
  return std::move(builder).Take(complete);
}

std::string Write(const Value& value) {
  return value.dump(-1, ' ', false, Value::error_handler_t::replace);
}

std::string WriteIndented(const Value& value) {
  return value.dump(2, ' ', false, Value::error_handler_t::replace);
}

void AppendString(std::string& out, std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
  });
  if (plain) {
    out.append(1, '"').append(text).append(1, '"');
  } else {
    out += Write(Value(text));
  }
}

void RemoveNul(Value& value) {
  if (value.is_string()) {
    RemoveNulFrom(value.get_ref<std::string&>());
  } else if (value.is_array()) {
    for (Value& element : value) RemoveNul(element);
  } else if (value.is_object()) {
    bool in_names = false;
    for (auto& [name, member] : value.items()) {
      in_names = in_names || name.find('\0') != std::string::npos;
      RemoveNul(member);
    }
    if (!in_names) return;
    Value renamed = Value::object();
    for (auto& [name, member] : value.items()) {
      std::string clean = name;
      RemoveNulFrom(clean);
      renamed[std::move(clean)] = std::move(member);
    }
    value = std::move(renamed);
  }
}

}  // namespace heliograph::json
