#include "ctl/listing.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "ctl/fields.h"

namespace heliograph::ctl {
namespace {

// The page's cursor to the next one; null on the last.
json::Value NextOf(const json::Value& page) {
  const auto found = page.is_object() ? page.find("next") : page.end();
  return found != page.end() && found->is_string() ? *found : json::Value();
}

// Threads: one thread.
class PageWriter {
 public:
  PageWriter(const Listing& listing, const Console& console)
      : listing_(listing), console_(console), table_(listing.headings) {
    if (console_.json) console_.out << R"({"items":[)";
  }

  void Write(const json::Value& items) {
    for (const json::Value& item : items) {
      if (console_.json) {
        console_.out << (count_ == 0 ? "\n" : ",\n") << json::Write(item);
      } else {
        table_.Add(listing_.row_of(item));
      }
      ++count_;
    }
    if (!console_.json) table_.Write(console_.out);
  }

  void Finish(const json::Value& next) {
    if (console_.json) {
      console_.out << "\n],\"next\":" << json::Write(next) << "}\n";
    } else if (!next.is_null()) {
      console_.err << count_ << " shown, there may be more: --all\n";
    }
  }

 private:
  const Listing& listing_;
  const Console& console_;
  Table table_;
  std::size_t count_ = 0;
};

}  // namespace

http_client::Query Filters(
    std::initializer_list<std::pair<const char*, const std::string&>> named) {
  http_client::Query query;
  for (const auto& [name, value] : named) {
    if (!value.empty()) query.emplace_back(name, value);
  }
  return query;
}

void Paging::Declare(CLI::App& command) {
  command.add_option("--limit", limit, "At most so many, or so many a page with --all")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command.add_flag("--all", all, "Every page");
}

base::Result<ExitCode> WriteListing(Api& api, const Listing& listing, const Paging& paging,
                                    const Console& console) {
  http_client::Query query = listing.query;
  query.emplace_back("limit", std::to_string(paging.limit));
  auto page = api.Get(listing.levels, query);
  if (!page) return std::move(page).error();
  PageWriter writer(listing, console);
  json::Value next = NextOf(*page);
  writer.Write(ListField(*page, "items"));
  while (paging.all && !next.is_null()) {
    http_client::Query more = query;
    more.emplace_back("cursor", next.get<std::string>());
    page = api.Get(listing.levels, more);
    if (!page) return std::move(page).error();
    next = NextOf(*page);
    writer.Write(ListField(*page, "items"));
  }
  writer.Finish(next);
  return ExitCode::kOk;
}

}  // namespace heliograph::ctl
