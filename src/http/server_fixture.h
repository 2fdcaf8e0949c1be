// A server on a free port of the loopback, for tests.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "http/server.h"
#include "http/test_client.h"

namespace tenken::http::test {

inline bool eventually(const std::function<bool()>& holds) {
  for (int i = 0; i < 1000; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

class HttpServer : public ::testing::Test {
 protected:
  HttpServer() {
    options_.handler = [](const Request& request) {
      return Response{.status = 200, .body = request.target + "|" + request.body};
    };
  }
  void start() {
    auto started = Server::start(options_);
    ASSERT_TRUE(started.has_value()) << started.error().what;
    server_ = *std::move(started);
  }
  std::uint16_t port() { return server_->port(); }
  void expect_answer_of_others() {
    EXPECT_EQ(body_of(Client(port()).ask(get("/others"))), "at once");
  }
  // The server still answers others.
  void expect_alive() { EXPECT_EQ(body_of(Client(port()).ask(get("/alive"))), "/alive|"); }

  Options options_;
  std::unique_ptr<Server> server_;
};

}  // namespace tenken::http::test
