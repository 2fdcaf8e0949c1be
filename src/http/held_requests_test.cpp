#include "http/held_requests.h"

#include <atomic>
#include <chrono>

#include <gtest/gtest.h>

#include "http/server_fixture.h"

namespace tenken::http {
namespace {

using std::chrono::milliseconds;
using test::body_of;
using test::Client;
using test::eventually;
using test::get;
using Clock = std::chrono::steady_clock;

using HeldRequest = test::HttpServer;

// Answers a held request with whether it was held, others at once.
Handler holding(int milliseconds) {
  return [milliseconds](const Request& request) {
    Response out{.body = request.held ? "held" : "at once"};
    if (request.target.starts_with("/hold/"))
      out.hold = Hold{.key = request.target, .milliseconds = milliseconds};
    return out;
  };
}

TEST_F(HeldRequest, a_held_request_goes_on_when_its_key_is_woken) {
  options_.handler = holding(60'000);
  options_.worker_threads = 1;
  start();
  Client first(port());
  Client other(port());
  first.send(get("/hold/a"));
  other.send(get("/hold/b"));
  expect_answer_of_others();
  server_->wake("/hold/a");
  EXPECT_EQ(body_of(first.response()), "held");
  EXPECT_FALSE(other.closed_within(50));
  server_->wake("/hold/b");
  EXPECT_EQ(body_of(other.response()), "held");
  EXPECT_EQ(body_of(first.ask(get("/x"))), "at once");  // the connection goes on
}

TEST_F(HeldRequest, a_held_request_is_answered_when_its_time_is_over) {
  options_.handler = holding(200);
  start();
  const auto began = Clock::now();
  EXPECT_EQ(body_of(Client(port()).ask(get("/hold/a"))), "held");
  EXPECT_GE(Clock::now() - began, milliseconds(200));
}

TEST_F(HeldRequest, a_key_that_is_woken_while_the_handler_runs_is_not_missed) {
  std::atomic<int> calls = 0;
  options_.handler = [&](const Request& request) {
    if (calls++ == 0) server_->wake("k");
    Response out{.body = request.held ? "held" : "at once"};
    out.hold = Hold{.key = "k", .milliseconds = 60'000};
    return out;
  };
  start();
  EXPECT_EQ(body_of(Client(port()).ask(get("/"))), "held");
  EXPECT_EQ(calls, 2);
}

TEST_F(HeldRequest, a_client_that_goes_while_it_is_held_harms_nobody) {
  options_.handler = holding(60'000);
  start();
  Client(port()).send(get("/hold/a"));
  EXPECT_TRUE(eventually([&] { return server_->connections() == 0; }));
  server_->wake("/hold/a");
  expect_answer_of_others();
}

TEST_F(HeldRequest, one_that_another_has_come_behind_is_not_held) {
  options_.handler = holding(60'000);
  start();
  Client client(port());
  const auto began = Clock::now();
  client.send(get("/hold/a") + get("/x"));
  EXPECT_EQ(body_of(client.response()), "held");
  EXPECT_EQ(body_of(client.response()), "at once");
  client.send(get("/hold/a"));
  EXPECT_FALSE(client.closed_within(50));
  client.send(get("/x"));
  EXPECT_EQ(body_of(client.response()), "held");
  EXPECT_EQ(body_of(client.response()), "at once");
  EXPECT_LT(Clock::now() - began, milliseconds(10'000));
}

TEST_F(HeldRequest, stop_cuts_what_is_held) {
  options_.handler = holding(60'000);
  start();
  Client client(port());
  client.send(get("/hold/a"));
  expect_answer_of_others();
  const auto began = Clock::now();
  server_->stop(5'000);
  EXPECT_LT(Clock::now() - began, milliseconds(4'000));
  EXPECT_EQ(client.rest(), "");
}

}  // namespace
}  // namespace tenken::http
