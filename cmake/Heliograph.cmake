# What every folder's short CMakeLists.txt uses: one function for a library, one for its tests, one for a program.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(HELIOGRAPH_CCACHE ccache)
if(HELIOGRAPH_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${HELIOGRAPH_CCACHE})
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(GTest REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(prometheus-cpp REQUIRED)
pkg_check_modules(MOSQUITTO REQUIRED IMPORTED_TARGET libmosquitto)
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka)
pkg_check_modules(LIBPQ REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(LIBCURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(PISTACHE REQUIRED IMPORTED_TARGET libpistache)

add_library(heliograph_warnings INTERFACE)
target_compile_options(heliograph_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion -Werror)

option(HELIOGRAPH_ASAN "AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(HELIOGRAPH_TSAN "ThreadSanitizer" OFF)
if(HELIOGRAPH_ASAN)
  # GCC 12 sees uninitialized members inside the standard library's own std::regex once it is instrumented. What is left out
  # is a fault that ends the process anyway, or that AddressSanitizer sees, and a quarter of the time to compile.
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=null,object-size,vptr -fno-sanitize-recover=all
                      -fno-omit-frame-pointer -Wno-maybe-uninitialized)
  add_link_options(-fsanitize=address,undefined)
elseif(HELIOGRAPH_TSAN)
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
endif()

# Adds a folder that has a CMakeLists.txt.
function(heliograph_add_folder folder)
  if(EXISTS ${PROJECT_SOURCE_DIR}/${folder}/CMakeLists.txt)
    add_subdirectory(${folder})
  endif()
endfunction()

# heliograph_library(kafka SOURCES producer.cc DEPENDS base log EXTERNAL PkgConfig::RDKAFKA)
# -> target heliograph_kafka. DEPENDS names folders of src/, EXTERNAL any CMake target.
function(heliograph_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;EXTERNAL" ${ARGN})
  set(target heliograph_${name})
  add_library(${target} STATIC ${ARG_SOURCES})
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_compile_definitions(${target} PRIVATE HELIOGRAPH_VERSION="${PROJECT_VERSION}")
  target_link_libraries(${target} PRIVATE heliograph_warnings)
  list(TRANSFORM ARG_DEPENDS PREPEND heliograph_)
  target_link_libraries(${target} PUBLIC ${ARG_DEPENDS} ${ARG_EXTERNAL} Threads::Threads)
endfunction()

# heliograph_test(kafka KIND unit SOURCES producer_test.cc DEPENDS kafka)
# -> target test_unit_kafka, a GoogleTest program at <build>/tests/unit/test_unit_kafka.
function(heliograph_test name)
  cmake_parse_arguments(ARG "" "KIND" "SOURCES;DEPENDS;EXTERNAL" ${ARGN})
  set(target test_${ARG_KIND}_${name})
  add_executable(${target} ${ARG_SOURCES})
  set_target_properties(${target} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/${ARG_KIND})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${target} PRIVATE HELIOGRAPH_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_compile_options(${target} PRIVATE -Og)  # a quarter less to wait for; what is tested keeps its own
  list(TRANSFORM ARG_DEPENDS PREPEND heliograph_)
  target_link_libraries(${target} PRIVATE heliograph_warnings ${ARG_DEPENDS} ${ARG_EXTERNAL}
    GTest::gmock GTest::gtest GTest::gtest_main)
  add_test(NAME ${target} COMMAND ${target})
endfunction()

# heliograph_program(ingest DEPENDS app ingest) -> bin/heliograph-ingest from main.cc.
# NAME is the program's file name where it is not heliograph-<folder>.
function(heliograph_program folder)
  cmake_parse_arguments(ARG "" "NAME" "DEPENDS" ${ARGN})
  if(NOT ARG_NAME)
    set(ARG_NAME heliograph-${folder})
  endif()
  set(target program_${folder})
  add_executable(${target} main.cc)
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME ${ARG_NAME} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  list(TRANSFORM ARG_DEPENDS PREPEND heliograph_)
  target_link_libraries(${target} PRIVATE heliograph_warnings ${ARG_DEPENDS})
endfunction()
