#include "fleet/flags.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>

namespace heliograph::fleet {
namespace {

constexpr std::string_view kPrefix = "HELIOGRAPH_FLEET__";

std::string FlagOf(std::string_view key) {
  std::string flag = "--" + std::string(key);
  std::transform(flag.begin(), flag.end(), flag.begin(), [](unsigned char c) {
    return c == '_' ? '-' : static_cast<char>(std::tolower(c));
  });
  return flag;
}

std::string VariableOf(std::string_view flag) {
  std::string name(flag.substr(2));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(c));
  });
  return std::string(kPrefix) + name;
}

// Visits a declaration and writes the help.
class HelpWriter final : public config::Binder {
 public:
  void String(std::string& value, std::string_view key, std::string_view help) override {
    Add(key, "TEXT", value, help);
  }
  void Choice(std::string& value, std::string_view key, const std::vector<std::string>& allowed,
              std::string_view help) override {
    std::string all;
    for (const std::string& one : allowed) all += (all.empty() ? "" : "|") + one;
    Add(key, all, value, help);
  }
  void Bool(bool&, std::string_view key, std::string_view help) override {
    switches.push_back(FlagOf(key));
    Add(key, "", "", help);
  }
  void Integer(std::int64_t& value, std::string_view key, config::Bounds<std::int64_t>,
               std::string_view help) override {
    Add(key, "N", std::to_string(value), help);
  }
  void Duration(std::chrono::milliseconds& value, std::string_view key,
                config::Bounds<std::chrono::milliseconds>, std::string_view help) override {
    const bool seconds = key.ends_with("_s");
    Add(key, "N", std::to_string(seconds ? value.count() / 1000 : value.count()), help);
  }
  void StringList(std::vector<std::string>&, std::string_view key, std::string_view help) override {
    Add(key, "A,B", "", help);
  }
  void StringMap(std::map<std::string, std::string>&, std::string_view key,
                 std::string_view help) override {
    Add(key, "A=B", "", help);
  }
  void SecretFile(base::Secret&, std::string_view key, std::string_view help) override {
    Add(key, "FILE", "", help);
  }
  void Require(bool, std::string_view) override {}

  std::string text;
  std::vector<std::string> switches;  // flags that take no value

 protected:
  void Enter(std::string_view, std::string_view) override {}
  void Leave() override {}

 private:
  void Add(std::string_view key, const std::string& value, const std::string& preset,
           std::string_view help) {
    std::string left = "  " + FlagOf(key) + (value.empty() ? "" : " " + value);
    if (left.size() < 32) left.resize(32, ' ');
    text += left + " " + std::string(help) + (preset.empty() ? "" : " [" + preset + "]") + "\n";
  }
};

HelpWriter Describe() {
  Options defaults;
  HelpWriter writer;
  defaults.Bind(writer);
  return writer;
}

std::string Help() {
  return "Usage: heliograph-fleet [FLAGS]\n\n"
         "Simulated solar devices over mutual TLS. They come online, send telemetry, answer "
         "actions and pings.\n"
         "On standard input it takes lines: status, rate N, kill NAME, offline NAME, online NAME, "
         "flap NAME N, quit;\n"
         "NAME may end in *, for all that begin so.\n\n" +
         Describe().text +
         "\nExit codes: 0 ended as asked; 1 something was not acknowledged or never online; 2 "
         "wrong flags; 3 could not start.\n";
}

// "HELIOGRAPH_FLEET__TOPIC_PREFIX must …" -> "--topic-prefix must …"
std::string InTermsOfFlags(std::string mistake) {
  if (mistake.starts_with(kPrefix)) {
    const auto end = mistake.find(' ');
    mistake = FlagOf(std::string_view(mistake).substr(kPrefix.size(), end - kPrefix.size())) +
              mistake.substr(end);
  }
  return mistake;
}

Ending Mistake(const std::string& text) {
  return {2, "heliograph-fleet: " + text + "\nTry heliograph-fleet --help.\n"};
}

}  // namespace

std::variant<Options, Ending> ParseFlags(const std::vector<std::string>& arguments,
                                         const config::Environment& environment) {
  config::Environment settings;
  for (const auto& [name, value] : environment) {
    if (name.starts_with(kPrefix)) settings[name] = value;
  }
  const std::vector<std::string> switches = Describe().switches;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--help" || argument == "-h") return Ending{0, Help()};
    if (argument == "--version") return Ending{0, "heliograph-fleet " HELIOGRAPH_VERSION "\n"};
    if (!argument.starts_with("--")) return Mistake("'" + argument + "' is not a flag");
    const auto equals = argument.find('=');
    const std::string flag = argument.substr(0, equals);
    std::string& value = settings[VariableOf(flag)];
    if (equals != std::string::npos) {
      value = argument.substr(equals + 1);
    } else if (std::find(switches.begin(), switches.end(), flag) != switches.end()) {
      value = "true";
    } else if (i + 1 < arguments.size() && !arguments[i + 1].starts_with("--")) {
      value = arguments[++i];
    } else {
      return Mistake(flag + " needs a value");
    }
  }
  Options options;
  const auto mistakes =
      config::Load({.file = "", .program = "heliograph-fleet", .environment = settings},
                   [&](config::Binder& binder) { options.Bind(binder); });
  if (mistakes.empty()) return options;
  std::string all;
  for (const std::string& one : mistakes) all += (all.empty() ? "" : "; ") + InTermsOfFlags(one);
  return Mistake(all);
}

}  // namespace heliograph::fleet
