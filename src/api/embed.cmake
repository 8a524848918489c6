# cmake -DIN=heliograph.yaml -DOUT=openapi_document.cc -P embed.cmake: a text file as a C++ string.
file(READ "${IN}" text)
file(WRITE "${OUT}" "#include \"api/openapi_document.h\"\n\nnamespace heliograph::api {\n\nstd::string_view OpenApiDocument() {\n  return R\"openapi(${text})openapi\";\n}\n\n}  // namespace heliograph::api\n")
