# The project's own CMake vocabulary: modules, plug-in tables and tests.

add_library(tenken_options INTERFACE)
target_include_directories(tenken_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(tenken_options INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wimplicit-fallthrough -Wnon-virtual-dtor
  -Wno-missing-designated-field-initializers
  $<$<BOOL:${TENKEN_WARNINGS_AS_ERRORS}>:-Werror>)
if(TENKEN_SANITIZE)
  target_compile_options(tenken_options INTERFACE
    -fsanitize=${TENKEN_SANITIZE} -fno-sanitize-recover=all
    $<$<BOOL:${TENKEN_FUZZ}>:-fsanitize=fuzzer-no-link>)
  target_link_options(tenken_options INTERFACE -fsanitize=${TENKEN_SANITIZE})
else()
  target_compile_definitions(tenken_options INTERFACE _FORTIFY_SOURCE=2)
  target_compile_options(tenken_options INTERFACE -fstack-protector-strong)
endif()

# tenken_module(NAME SOURCES a.cpp… [LINK lib…] [TESTS a_test.cpp…])
# One folder of src/ as a static library, with its unit tests beside the sources.
function(tenken_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;TESTS" ${ARGN})
  add_library(tenken_${name} STATIC ${arg_SOURCES})
  target_link_libraries(tenken_${name} PUBLIC tenken_options ${arg_LINK})
  set_property(GLOBAL APPEND PROPERTY TENKEN_MODULES tenken_${name})
  if(TENKEN_TESTS AND arg_TESTS)
    tenken_test(tenken_${name}_test SOURCES ${arg_TESTS} LINK tenken_${name})
  endif()
endfunction()

# tenken_test(NAME SOURCES … LINK …): a GoogleTest program, each case a test of its own.
function(tenken_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  find_package(GTest REQUIRED)
  include(GoogleTest)
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINK} GTest::gtest GTest::gtest_main)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE
    TENKEN_SOURCE_DIR="${CMAKE_SOURCE_DIR}" TENKEN_CASE_DIR="${CMAKE_CURRENT_SOURCE_DIR}")
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 300)
endfunction()

# tenken_plugins(OUT var DIR folder NAMESPACE ns TYPE Type TABLE table HEADER header)
# Writes <build>/gen/<table>.gen.cpp: an array of pointers to one `extern constinit const Type`
# per source file of DIR, whose name is the file's stem, sorted. A misnamed symbol fails to link.
function(tenken_plugins)
  cmake_parse_arguments(arg "" "OUT;DIR;NAMESPACE;TYPE;TABLE;HEADER" "" ${ARGN})
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${arg_DIR}/*.cpp)
  list(FILTER files EXCLUDE REGEX "_test\\.cpp$")
  list(SORT files)
  set(decl "")
  set(rows "")
  foreach(file IN LISTS files)
    get_filename_component(stem ${file} NAME_WE)
    string(APPEND decl "extern const ${arg_TYPE} ${stem};\n")
    string(APPEND rows "    &${stem},\n")
  endforeach()
  set(generated ${CMAKE_BINARY_DIR}/gen/${arg_TABLE}.gen.cpp)
  file(CONFIGURE OUTPUT ${generated} CONTENT
"#include \"${arg_HEADER}\"

namespace ${arg_NAMESPACE} {

${decl}
namespace {
constexpr const ${arg_TYPE}* rows[] = {
${rows}};
}  // namespace

std::span<const ${arg_TYPE}* const> ${arg_TABLE}() { return rows; }

}  // namespace ${arg_NAMESPACE}
" @ONLY)
  set(${arg_OUT} ${files} ${generated} PARENT_SCOPE)
endfunction()
