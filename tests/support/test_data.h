// The shared test data: real advisories, inventories and vectors that tests use in place.
// $TENKEN_TEST_DATA, else ../shared/data beside the project. A test without it is skipped, and
// says so; `./test` counts skips.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace tenken::test {

inline std::string data_path(std::string_view relative) {
  const char* set = std::getenv("TENKEN_TEST_DATA");
  const std::string root = set != nullptr ? set : TENKEN_SOURCE_DIR "/../shared/data";
  return root + "/" + std::string(relative);
}

}  // namespace tenken::test

#define NEED_TEST_DATA(relative)                                                   \
  if (!std::filesystem::exists(::tenken::test::data_path(relative)))               \
  GTEST_SKIP() << "no test data at " << ::tenken::test::data_path(relative)        \
               << "; set TENKEN_TEST_DATA to the folder that holds it"
