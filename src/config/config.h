// Loads a program's settings: defaults, then one YAML file, then the environment.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/binder.h"

namespace heliograph::config {

using Environment = std::map<std::string, std::string>;
using BindFunction = std::function<void(Binder&)>;

// The process's environment.
Environment ProcessEnvironment();

struct Source {
  std::string file;     // "" = no file: defaults and environment only
  std::string program;  // "heliograph-ingest": overrides are HELIOGRAPH_INGEST__SECTION__KEY
  Environment environment;
};

// Reads into what `bind` declares. Every mistake is found in one go and told with file and line: an
// unknown key, a wrong type, a value out of bounds, a missing secret file, an unknown override.
// Empty = all is well.
std::vector<std::string> Load(const Source& source, const BindFunction& bind);

// The effective settings as YAML; secrets print as ***.
std::string Print(const BindFunction& bind);

// All settings with their defaults, each with its help as a comment: what deploy/config/*.yaml is.
std::string WriteCommentedYaml(const BindFunction& bind);

// A Markdown table of all settings, for deploy/CONFIGURATION.md.
std::string WriteReference(std::string_view program, const BindFunction& bind);

}  // namespace heliograph::config
