// A PostgreSQL server of a test's own: a fresh cluster in a directory of its own, reached through a
// socket there and no network, everybody trusted except the role "guarded", which must give its
// password. Ends with its object, or with the test if that dies. It never syncs, so it is fast and
// only for tests. Started as root it runs as postgres or nobody, since PostgreSQL refuses root.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tenken::test {

class PostgresServer {
 public:
  // The folder of the newest installed server's programs; empty where there is none.
  static std::string programs() {
    std::vector<std::string> found;
    std::error_code ignored;
    for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored))
      if (std::filesystem::exists(version.path() / "bin" / "initdb"))
        found.push_back((version.path() / "bin").string());
    std::ranges::sort(found);
    return found.empty() ? std::string() : found.back();
  }

  PostgresServer() {
    if (::geteuid() == 0) {
      user_ = ::getpwnam("postgres");
      if (user_ == nullptr) user_ = ::getpwnam("nobody");
    }
    directory_ = (std::filesystem::temp_directory_path() / "tenken-pg-XXXXXX").string();
    EXPECT_NE(::mkdtemp(directory_.data()), nullptr) << directory_;
    if (user_ != nullptr) {
      EXPECT_EQ(::chown(directory_.c_str(), user_->pw_uid, user_->pw_gid), 0);
    }
    wait_for(spawn({programs() + "/initdb", "-D", data(), "-U", "tenken", "-A", "trust", "-E",
                    "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"}));
    std::ofstream(data() + "/pg_hba.conf") << "local all guarded scram-sha-256\n"
                                              "local all all trust\n";
    start();
  }
  ~PostgresServer() {
    stop();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  // user: "tenken" owns everything; with its password after a colon where it needs one.
  std::string uri(const std::string& user = "tenken") const {
    return "postgresql://" + user + "@/postgres?host=" + directory_;
  }

  // Returns once the server takes connections.
  void start() {
    server_ = spawn({programs() + "/postgres", "-D", data(), "-k", directory_, "-h", "", "-F", "-c",
                     "full_page_writes=off", "-c", "shared_buffers=32MB"});
    for (int tries = 0; tries < 1000 && !ready(); ++tries)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_TRUE(ready()) << log();
  }
  // As a crash of the machine looks to its clients: at once, in the middle of everything.
  void stop() {
    if (server_ <= 0) return;
    ::kill(server_, SIGQUIT);
    ::waitpid(server_, nullptr, 0);
    server_ = -1;
  }

 private:
  std::string data() const { return directory_ + "/data"; }
  std::string log() const {
    std::ifstream file(directory_ + "/log");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // The server writes its state into the last line of this file.
  bool ready() const {
    std::ifstream file(data() + "/postmaster.pid");
    std::string line;
    bool is_ready = false;
    while (std::getline(file, line)) is_ready = line.starts_with("ready");
    return is_ready;
  }

  pid_t spawn(const std::vector<std::string>& command) const {
    std::vector<char*> arguments;
    for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    const std::string log_name = directory_ + "/log";
    const pid_t child = ::fork();
    EXPECT_GE(child, 0);
    if (child != 0) return child;
    const int log_file = ::open(log_name.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    ::dup2(log_file, 1);
    ::dup2(log_file, 2);
    if (::chdir(directory_.c_str()) != 0) ::_exit(126);
    if (user_ != nullptr && (::setgroups(0, nullptr) != 0 || ::setgid(user_->pw_gid) != 0 ||
                             ::setuid(user_->pw_uid) != 0))
      ::_exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);  // after setuid, which clears it
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  void wait_for(pid_t child) const {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0) << log();
  }

  const passwd* user_ = nullptr;  // null: the test's own user
  std::string directory_;
  pid_t server_ = -1;
};

}  // namespace tenken::test
