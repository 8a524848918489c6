// openapi/heliograph.yaml, as it was when this program was built.
#pragma once

#include <string_view>

namespace heliograph::api {

std::string_view OpenApiDocument();

}  // namespace heliograph::api
