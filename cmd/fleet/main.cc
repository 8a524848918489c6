// heliograph-fleet: simulated devices, for the demo, for load and for the tests.
#include <exception>
#include <iostream>
#include <string>
#include <variant>
#include <vector>

#include "config/config.h"
#include "fleet/flags.h"
#include "fleet/fleet.h"
#include "log/log.h"

int main(int argc, char** argv) {
  namespace fleet = heliograph::fleet;
  auto parsed = fleet::ParseFlags(std::vector<std::string>(argv + 1, argv + argc),
                                  heliograph::config::ProcessEnvironment());
  if (const auto* ending = std::get_if<fleet::Ending>(&parsed)) {
    (ending->exit_code == 0 ? std::cout : std::cerr) << ending->text;
    return ending->exit_code;
  }
  heliograph::log::SetUp(heliograph::log::Level::kInfo, heliograph::log::Format::kText,
                         "heliograph-fleet");
  try {
    return fleet::Fleet(std::get<fleet::Options>(std::move(parsed))).Run();
  } catch (const std::exception& error) {
    std::cerr << "heliograph-fleet: " << error.what() << "\n";
    return 3;
  }
}
