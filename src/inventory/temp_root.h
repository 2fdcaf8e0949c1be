// TempRoot: a root directory written by a test, removed at its end.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <stdlib.h>

namespace tenken::inventory::test {

class TempRoot {
 public:
  TempRoot() : path_((std::filesystem::temp_directory_path() / "tenken-root-XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "no temporary directory";
  }
  ~TempRoot() { std::filesystem::remove_all(path_); }
  TempRoot(const TempRoot&) = delete;
  TempRoot& operator=(const TempRoot&) = delete;

  const std::string& path() const { return path_; }
  std::string at(std::string_view relative) const { return path_ + "/" + std::string(relative); }

  void write(std::string_view relative, std::string_view bytes) const {
    const std::filesystem::path file = at(relative);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary).write(bytes.data(), std::ssize(bytes));
  }
  void directory(std::string_view relative) const {
    std::filesystem::create_directories(at(relative));
  }
  void link(std::string_view relative, std::string_view target) const {
    const std::filesystem::path file = at(relative);
    std::filesystem::create_directories(file.parent_path());
    std::filesystem::create_symlink(target, file);
  }

 private:
  std::string path_;
};

}  // namespace tenken::inventory::test
