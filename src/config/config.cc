#include "config/config.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <exception>
#include <fstream>
#include <sstream>

#include "config/reader.h"
#include "config/writer.h"

namespace heliograph::config {
namespace {

std::string EnvironmentPrefix(std::string program) {
  std::transform(program.begin(), program.end(), program.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(c));
  });
  return program;
}

// A bar would end the cell of a Markdown table.
std::string InTable(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

// Throws when there is no such file, no right to it, or it is a folder. yaml-cpp's own reading
// leaks memory then.
std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  file.exceptions(std::ios::failbit | std::ios::badbit);
  std::ostringstream content;
  if (file.peek() != std::ifstream::traits_type::eof()) content << file.rdbuf();
  return content.str();
}

std::string Indent(std::size_t depth) { return std::string(depth * 2, ' '); }

}  // namespace

Environment ProcessEnvironment() {
  Environment all;
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string_view pair(*one);
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos) {
      all.emplace(pair.substr(0, equals), pair.substr(equals + 1));
    }
  }
  return all;
}

std::vector<std::string> Load(const Source& source, const BindFunction& bind) {
  YAML::Node root;
  try {
    if (!source.file.empty()) {
      const auto documents = YAML::LoadAll(ReadFile(source.file));
      if (documents.size() > 1) {
        return {source.file + ":" + std::to_string(documents[1].Mark().line + 1) +
                ": a second document; settings are one"};
      }
      if (!documents.empty()) root = documents.front();
    }
  } catch (const YAML::ParserException& error) {
    return {source.file + ":" + std::to_string(error.mark.line + 1) + ": " + error.msg};
  } catch (const std::exception&) {
    return {"the configuration file '" + source.file + "' cannot be read"};
  }
  Reader reader(source.file, EnvironmentPrefix(source.program), root, source.environment);
  bind(reader);
  return reader.Finish();
}

std::string Print(const BindFunction& bind) {
  Lister lister;
  bind(lister);
  std::string out;
  for (const Entry& entry : lister.entries()) {
    out += Indent(entry.depth) + entry.key + ":";
    out += entry.is_section ? "\n" : " " + entry.value + "\n";
  }
  return out;
}

std::string WriteCommentedYaml(const BindFunction& bind) {
  Lister lister;
  bind(lister);
  std::string out;
  for (const Entry& entry : lister.entries()) {
    const std::string indent = Indent(entry.depth);
    if (entry.is_section) out += "\n";
    out += indent + "# " + entry.help;
    if (!entry.is_section && entry.kind != "text") out += " (" + entry.kind + ")";
    out += "\n" + indent + entry.key + ":";
    out += entry.is_section ? "\n" : " " + entry.value + "\n";
  }
  return out;
}

std::string WriteReference(std::string_view program, const BindFunction& bind) {
  Lister lister;
  bind(lister);
  std::string out = "## " + std::string(program) + "\n\n";
  out += "| setting | default | values | what it is |\n|---|---|---|---|\n";
  for (const Entry& entry : lister.entries()) {
    if (entry.is_section) continue;
    out += "| `" + InTable(entry.path) + "` | `" + InTable(entry.value) + "` | " +
           InTable(entry.kind) + " | " + InTable(entry.help) + " |\n";
  }
  return out;
}

}  // namespace heliograph::config
