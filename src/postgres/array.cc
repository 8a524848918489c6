#include "postgres/array.h"

#include <array>
#include <chrono>

namespace heliograph::postgres {
namespace {

// Object ids of the built-in types, the same in every PostgreSQL: src/include/catalog/pg_type.dat.
constexpr std::uint32_t kBool = 16;
constexpr std::uint32_t kInt8 = 20;
constexpr std::uint32_t kInt4 = 23;
constexpr std::uint32_t kText = 25;
constexpr std::uint32_t kTimestampWithTimeZone = 1184;
constexpr std::uint32_t kJsonb = 3802;

// array_recv: dimensions, has-null flag, element type, then length and lower bound of the one
// dimension.
constexpr std::size_t kHeaderBytes = 20;
constexpr std::size_t kCountAt = 12;
constexpr std::size_t kNullFlagAt = 4;

// The last `bytes` of the value, up to 8.
void AppendBigEndian(std::string& out, std::uint64_t value, std::size_t bytes) {
  std::array<char, 8> all;
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<char>(value >> (56 - 8 * i));
  out.append(all.data() + all.size() - bytes, bytes);
}

void WriteBigEndian(std::string& out, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i)
    out[at + i] = static_cast<char>(value >> ((3 - i) * 8) & 0xffU);
}

}  // namespace

Array::Array(std::uint32_t element_type) : element_type_(element_type) { Clear(); }

void Array::Clear() {
  count_ = 0;
  bytes_.clear();
  AppendBigEndian(bytes_, 1, 4);
  AppendBigEndian(bytes_, 0, 4);
  AppendBigEndian(bytes_, element_type_, 4);
  AppendBigEndian(bytes_, 0, 4);
  AppendBigEndian(bytes_, 1, 4);
  static_assert(kHeaderBytes == 5 * 4);
}

void Array::Count() { WriteBigEndian(bytes_, kCountAt, ++count_); }

void Array::AddNull() {
  AppendBigEndian(bytes_, 0xffffffffU, 4);
  WriteBigEndian(bytes_, kNullFlagAt, 1);
  Count();
}

void Array::AddBytes(std::string_view value, std::string_view before) {
  AppendBigEndian(bytes_, before.size() + value.size(), 4);
  bytes_.append(before).append(value);
  Count();
}

void Array::AddNumber(std::uint64_t value, std::size_t bytes) {
  AppendBigEndian(bytes_, bytes, 4);
  AppendBigEndian(bytes_, value, bytes);
  Count();
}

TextArray::TextArray() : Array(kText) {}
JsonArray::JsonArray() : Array(kJsonb) {}
Int64Array::Int64Array() : Array(kInt8) {}
Int32Array::Int32Array() : Array(kInt4) {}
BoolArray::BoolArray() : Array(kBool) {}
TimestampArray::TimestampArray() : Array(kTimestampWithTimeZone) {}

// jsonb_recv: one byte of version before the text.
void JsonArray::Add(std::string_view json) { AddBytes(json, "\x01"); }

void TimestampArray::Add(base::Timestamp value) {
  using namespace std::chrono;
  constexpr base::Timestamp kEpoch = sys_days{year{2000} / January / 1};  // PostgreSQL's
  AddNumber(static_cast<std::uint64_t>((value - kEpoch).count()), 8);
}

}  // namespace heliograph::postgres
