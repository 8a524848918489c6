#include "json/json.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "json/reader.h"

namespace heliograph::json {
namespace {

// Builds the value and refuses what the grammar allows but we do not. Without recursion, so depth
// costs no stack. A handler of Reader.
class Builder {
 public:
  explicit Builder(const Limits& limits) : limits_(limits) {}

  bool OnNull() { return Put(nullptr); }
  bool OnBoolean(bool value) { return Put(value); }
  bool OnInteger(std::int64_t value) { return Put(value); }
  bool OnUnsigned(std::uint64_t value) { return Put(value); }
  bool OnDouble(double value) { return Put(value); }
  bool OnString(std::string&& value) { return Put(std::move(value)); }

  bool OnName(std::string&& name) {
    auto& members = *open_.back()->get_ptr<Value::object_t*>();
    const auto [member, is_new] = members.try_emplace(std::move(name));
    if (!is_new) {
      error_ = {Fault::kDuplicateKey,
                "the name '" + member->first.substr(0, 64) + "' stands twice in one object"};
      return false;
    }
    named_ = &member->second;
    return true;
  }

  bool OnOpen(bool is_object) {
    if (open_.size() >= limits_.max_depth) {
      error_ = {Fault::kTooDeep, "deeper than " + std::to_string(limits_.max_depth) + " levels"};
      return false;
    }
    open_.push_back(Place(is_object ? Value::object() : Value::array()));
    return true;
  }

  bool OnClose() {
    open_.pop_back();
    return true;
  }

  Parsed Take(ReadOutcome outcome, std::size_t position) && {
    if (outcome == ReadOutcome::kComplete) return std::move(root_);
    if (outcome == ReadOutcome::kRefused) return std::move(error_);
    // The text itself may be hostile or secret, so none of it is quoted.
    const bool range = outcome == ReadOutcome::kRange;
    return ParseError{range ? Fault::kNumberRange : Fault::kSyntax,
                      (range ? "a number out of range" : "not JSON") + std::string(" at byte ") +
                          std::to_string(position)};
  }

 private:
  template <class T>
  bool Put(T&& value) {
    Place(Value(std::forward<T>(value)));
    return true;
  }

  // Parents do not move while a child is open: an object is a node map, and an array grows only at
  // its open end.
  Value* Place(Value value) {
    Value* place = &root_;
    if (!open_.empty()) {
      Value& parent = *open_.back();
      place = parent.is_array() ? &parent.get_ptr<Value::array_t*>()->emplace_back() : named_;
    }
    *place = std::move(value);
    return place;
  }

  const Limits& limits_;
  Value root_;
  std::vector<Value*> open_;
  Value* named_ = nullptr;  // the member whose value comes next
  ParseError error_;
};

// Whether it stands for itself in a string.
bool IsPlain(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

std::string WriteByLibrary(const Value& value) {
  return value.dump(-1, ' ', false, Value::error_handler_t::replace);
}

// As the library writes it, which takes twice the time for objects of plain strings. It recurses as
// the library does: what was parsed is no deeper than Limits say.
void Append(std::string& out, const Value& value) {
  if (const auto* members = value.get_ptr<const Value::object_t*>()) {
    char before = '{';
    for (const auto& [name, member] : *members) {
      out += std::exchange(before, ',');
      AppendString(out, name);
      out += ':';
      Append(out, member);
    }
    out.append(members->empty() ? "{}" : "}");
  } else if (const auto* elements = value.get_ptr<const Value::array_t*>()) {
    char before = '[';
    for (const Value& element : *elements) {
      out += std::exchange(before, ',');
      Append(out, element);
    }
    out.append(elements->empty() ? "[]" : "]");
  } else if (const auto* text = value.get_ptr<const std::string*>()) {
    AppendString(out, *text);
  } else if (const auto* number = value.get_ptr<const Value::number_unsigned_t*>()) {
    out += std::to_string(*number);
  } else {
    out += WriteByLibrary(value);
  }
}

void RemoveNulFrom(std::string& text) { std::erase(text, '\0'); }

}  // namespace

Parsed Parse(std::string_view text, const Limits& limits) {
  Builder builder(limits);
  Reader reader(text, builder);
  const ReadOutcome outcome = reader.Read();
  return std::move(builder).Take(outcome, reader.position());
}

std::string Write(const Value& value) {
  std::string out;
  Append(out, value);
  return out;
}

std::string WriteIndented(const Value& value) {
  return value.dump(2, ' ', false, Value::error_handler_t::replace);
}

void AppendString(std::string& out, std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), IsPlain);
  if (plain) {
    out.append(1, '"').append(text).append(1, '"');
  } else {
    out += WriteByLibrary(Value(text));
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
