// Threads made while such an object lives leave signals to the program's own threads. With SIGPIPE
// blocked, writing to a closed connection is an error and no more, inside OpenSSL too.
//
// Thread rule: concerns the thread that makes it, and those it starts meanwhile.
#pragma once

#include <csignal>

namespace tenken::http {

class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGPROF})
      sigdelset(&all, fault);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace tenken::http
