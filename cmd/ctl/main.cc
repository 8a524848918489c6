// heliograph: wiring only.
#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "ctl/program.h"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return heliograph::ctl::Run(
      arguments, {.out = std::cout, .err = std::cerr, .terminal = ::isatty(STDOUT_FILENO) == 1});
}
