#include "agent/resolution.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"

namespace tenken::agent {

struct Resolution::Question {
  std::string host;
  std::uint16_t port = 0;
  Fd done{::eventfd(0, EFD_CLOEXEC)};
  Addresses found;
  std::string fault;

  void ask() {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const int failed = ::getaddrinfo(host.c_str(), fmt::format("{}", port).c_str(), &hints, &list);
    if (failed != 0) fault = ::gai_strerror(failed);
    found.reset(list);
    ::eventfd_write(done.get(), 1);
  }
};

namespace {

// Signals are the process's own thread's.
class SignalsAside {
 public:
  SignalsAside() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsAside() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsAside(const SignalsAside&) = delete;
  SignalsAside& operator=(const SignalsAside&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

Resolution::Resolution(std::string host, std::uint16_t port)
    : question_(std::make_shared<Question>()) {
  question_->host = std::move(host);
  question_->port = port;
  if (is_address(question_->host))
    question_->ask();
  else
    ask_in_thread();
}

Resolution::~Resolution() = default;

void Resolution::ask_in_thread() {
  const SignalsAside aside;
  try {
    std::thread([question = question_] { question->ask(); }).detach();
  } catch (const std::system_error& error) {
    question_->fault = error.code().message();
    ::eventfd_write(question_->done.get(), 1);
  }
}

int Resolution::descriptor() const {
  return question_->done.get();
}

Result<Addresses> Resolution::addresses() {
  eventfd_t count = 0;
  if (::eventfd_read(question_->done.get(), &count) != 0)
    return from_errno(errno, question_->host);
  if (!question_->fault.empty())
    return unavailable(fmt::format("{}: {}", question_->host, question_->fault));
  return std::move(question_->found);
}

}  // namespace tenken::agent
