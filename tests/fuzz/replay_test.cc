// Runs the corpus, and small changes to it, through the fuzz target: what the fuzzer once found
// stays found, with any compiler.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::vector<std::string> Corpus() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(
           HELIOGRAPH_SOURCE_DIR "/tests/fuzz/corpus/request_parser")) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> corpus;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return corpus;
}

void RunTarget(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

TEST(RequestParserCorpus, IsHandled) {
  const auto corpus = Corpus();
  ASSERT_GE(corpus.size(), 20U);
  for (const std::string& input : corpus) RunTarget(input);
}

TEST(RequestParserCorpus, SmallChangesAreHandled) {
  const auto corpus = Corpus();
  ASSERT_FALSE(corpus.empty());
  std::minstd_rand random(20261121);
  const auto below = [&](std::size_t bound) { return random() % bound; };
  const std::string telling = "\r\n\t :;,%/?*0159afF\x01\x7f\x80\xff";
  for (int round = 0; round < 20000; ++round) {
    std::string input = corpus[below(corpus.size())];
    for (std::size_t change = below(4); change < 5 && !input.empty(); ++change) {
      const std::size_t at = below(input.size());
      switch (below(4)) {
        case 0:
          input[at] = telling[below(telling.size())];
          break;
        case 1:
          input.insert(at, 1, telling[below(telling.size())]);
          break;
        case 2:
          input.erase(at, 1 + below(4));
          break;
        default:
          input.insert(at, corpus[below(corpus.size())].substr(0, below(60)));
      }
    }
    RunTarget(input);
  }
}

}  // namespace
