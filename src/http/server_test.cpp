#include "http/server.h"

#include <atomic>
#include <chrono>
#include <latch>
#include <mutex>
#include <new>
#include <semaphore>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "http/server_fixture.h"

namespace tenken::http {
namespace {

using std::chrono::milliseconds;
using test::body_of;
using test::Client;
using test::eventually;
using test::get;
using test::HttpServer;
using test::status_of;
using Clock = std::chrono::steady_clock;

std::string post(std::string_view path, std::string_view body, std::string_view more = "") {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(more) + "\r\n" + std::string(body);
}

TEST_F(HttpServer, answers_one_request_after_another) {
  start();
  Client client(port());
  const auto response = client.ask(get("/x?y"));
  EXPECT_TRUE(response.starts_with("HTTP/1.1 200 OK\r\n")) << response;
  for (const auto* part : {"\r\nServer: tenken\r\n", " GMT\r\n", "\r\nConnection: keep-alive\r\n",
                           "\r\nContent-Length: 5\r\n", "\r\nx-amzn-RequestId: "})
    EXPECT_TRUE(response.contains(part)) << part << response;
  EXPECT_EQ(body_of(response), "/x?y|");
  EXPECT_EQ(body_of(client.ask(post("/", "abc"))), "/|abc");
  EXPECT_EQ(server_->connections(), 1U);
}

TEST_F(HttpServer, a_handler_sees_the_peer_and_the_id_that_the_client_gets) {
  options_.handler = [](const Request& request) {
    return Response{.body = request.peer + " " + request.id};
  };
  start();
  Client client(port());
  const auto response = client.ask(get("/"));
  EXPECT_TRUE(body_of(response).starts_with("127.0.0.1:")) << response;
  const auto id = body_of(response).substr(body_of(response).find(' ') + 1);
  EXPECT_EQ(id.size(), 36U);
  EXPECT_TRUE(response.contains("x-amzn-RequestId: " + id + "\r\n")) << response;
  EXPECT_NE(body_of(client.ask(get("/"))), body_of(response));
}

TEST_F(HttpServer, head_has_the_length_and_no_body) {
  start();
  Client client(port());
  client.send("HEAD /abc HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto response = client.response(false);
  EXPECT_TRUE(response.contains("Content-Length: 5\r\n")) << response;
  EXPECT_EQ(body_of(response), "");
  EXPECT_EQ(body_of(client.ask(get("/next"))), "/next|");
}

TEST_F(HttpServer, pipelined_requests_are_answered_in_order) {
  options_.worker_threads = 8;
  start();
  Client client(port());
  std::string all;
  for (int i = 0; i < 300; ++i)
    all += i % 3 == 0 ? post("/" + std::to_string(i), std::string(200, 'b'))
                      : get("/" + std::to_string(i));
  std::thread sender([&] { client.send(all); });
  for (int i = 0; i < 300; ++i) {
    const auto body = body_of(client.response());
    EXPECT_TRUE(body.starts_with("/" + std::to_string(i) + "|")) << i << ": " << body;
  }
  sender.join();
}

TEST_F(HttpServer, a_client_that_waits_for_100_continue_gets_it) {
  start();
  Client client(port());
  const auto whole = post("/", "abc", "Expect: 100-continue\r\n");
  client.send(std::string_view(whole).substr(0, whole.size() - 3));
  EXPECT_EQ(client.response(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_EQ(body_of(client.response()), "/|abc");
  EXPECT_EQ(body_of(client.ask(whole)), "/|abc") << "body sent without waiting";
}

TEST_F(HttpServer, a_body_too_large_is_refused_before_it_is_sent) {
  options_.body_limit = [](const Request& head) {
    return head.path() == "/big" && head.peer.starts_with("127.0.0.1:") ? 1000U : 10U;
  };
  start();
  Client client(port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n");
  EXPECT_EQ(status_of(client.response()), 413);
  EXPECT_TRUE(client.closed_within(5000));
  EXPECT_EQ(status_of(Client(port()).ask(post("/big", std::string(1000, 'x')))), 200);
  // The answer arrives even though the body is on its way.
  Client eager(port());
  eager.send(post("/", std::string(4 << 20, 'x')));
  EXPECT_EQ(status_of(eager.response()), 413);
}

TEST_F(HttpServer, what_the_server_refuses_has_the_shape_that_is_given) {
  options_.refusal = [](int status, std::string_view reason) {
    Response out{.status = status, .body = "<" + std::string(reason) + ">"};
    out.headers.set("Content-Type", "text/x-shape");
    return out;
  };
  options_.limits.headers = 5;
  start();
  const auto malformed = Client(port()).ask("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(status_of(malformed), 400);
  EXPECT_EQ(body_of(malformed), "<there must be one Host header>");
  EXPECT_TRUE(malformed.contains("Content-Type: text/x-shape\r\n")) << malformed;
  const auto crowded = Client(port()).ask(
      "GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nA: 1\r\nA: 1\r\n"
      "A: 1\r\nA: 1\r\n\r\n");
  EXPECT_EQ(status_of(crowded), 431);
  EXPECT_EQ(body_of(crowded), "<there are too many headers>");
}

TEST_F(HttpServer, nothing_that_follows_a_refused_request_is_answered) {
  std::atomic<int> handled = 0;
  options_.handler = [&](const Request&) {
    ++handled;
    return Response{};
  };
  start();
  Client client(port());
  client.send(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
      "0\r\n\r\n" +
      get("/admin"));
  const auto all = client.rest();
  EXPECT_EQ(status_of(all), 400);
  EXPECT_TRUE(all.contains("Connection: close\r\n")) << all;
  EXPECT_EQ(all.find("HTTP/1.1", 1), all.npos) << all;
  EXPECT_EQ(handled, 0);
}

TEST_F(HttpServer, old_clients_and_those_who_say_close_are_closed) {
  start();
  EXPECT_TRUE(Client(port()).ask("GET / HTTP/1.0\r\n\r\n").contains("Connection: close"));
  Client closing(port());
  closing.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + get("/more"));
  EXPECT_EQ(body_of(closing.rest()), "/|");
  Client old(port());
  const std::string keep = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
  EXPECT_EQ(status_of(old.ask(keep)), 200);
  EXPECT_EQ(status_of(old.ask(keep)), 200);
}

TEST_F(HttpServer, what_a_handler_throws_is_500) {
  options_.handler = [](const Request& request) -> Response {
    if (request.target == "/runtime") throw std::runtime_error("secret");
    if (request.target == "/memory") throw std::bad_alloc();
    if (request.target == "/int") throw 1;
    return {.status = request.target == "/status" ? 99 : 200};
  };
  options_.body_limit = [](const Request& request) -> std::size_t {
    if (request.target == "/limit") throw std::bad_alloc();
    return 0;
  };
  start();
  Client client(port());
  for (const auto* path : {"/runtime", "/memory", "/int", "/status"}) {
    const auto response = client.ask(get(path));
    EXPECT_EQ(status_of(response), 500) << path;
    EXPECT_FALSE(response.contains("secret"));
  }
  EXPECT_EQ(status_of(client.ask(get("/"))), 200);
  EXPECT_EQ(status_of(client.ask(get("/limit"))), 500);
}

TEST_F(HttpServer, every_answer_is_reported_once) {
  std::mutex mutex;
  std::vector<std::string> seen;
  options_.finished = [&](const Request& request, const Response& response, std::int64_t time) {
    const std::scoped_lock lock(mutex);
    seen.push_back(request.target + " " + std::to_string(response.status) +
                   (time >= 0 && !request.id.empty() && !request.peer.empty() ? "" : " ?"));
    throw std::runtime_error("logs fail too");
  };
  start();
  Client client(port());
  client.ask(get("/a"));
  client.ask("GET /b HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(eventually([&] {
    const std::scoped_lock lock(mutex);
    return seen.size() == 2;
  }));
  EXPECT_EQ(seen, (std::vector<std::string>{"/a 200", "/b 400"}));
}

TEST_F(HttpServer, a_head_that_trickles_is_cut_and_others_are_served) {
  options_.limits.head_ms = 300;
  options_.io_threads = 1;
  start();
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 50; ++i) {
    slow.push_back(std::make_unique<Client>(port()));
    slow.back()->send("GET / HTTP/1.1\r\nHost: a\r\n");
  }
  const auto begun = Clock::now();
  while (Clock::now() - begun < milliseconds(250)) {
    for (auto& client : slow) client->send("X: y\r\n");
    expect_alive();
    std::this_thread::sleep_for(milliseconds(20));
  }
  for (auto& client : slow) EXPECT_EQ(status_of(client->response()), 408);
  EXPECT_LT(Clock::now() - begun, milliseconds(5000));
}

TEST_F(HttpServer, a_body_that_stops_or_trickles_is_cut) {
  options_.limits.body_idle_ms = 300;
  options_.limits.body_total_ms = 900;
  start();
  Client stops(port());
  stops.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
  Client trickles(port());
  trickles.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 30 && trickles.send("1\r\nx\r\n"); ++i)
    std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(status_of(trickles.response()), 408);
  EXPECT_EQ(status_of(stops.response()), 408);
}

TEST_F(HttpServer, a_peer_that_never_pauses_is_cut_in_time) {
  options_.limits.body_total_ms = 300;
  options_.body_limit = [](const Request& head) {
    return head.path() == "/endless" ? std::size_t{1} << 30 : 0;
  };
  options_.io_threads = 1;
  start();
  const auto begun = Clock::now();
  const auto send_for_ever = [&](std::string_view head, std::string_view block) {
    Client client(port());
    for (client.send(head); client.send(block) && Clock::now() - begun < milliseconds(15'000);) {
    }
  };
  std::string chunks;
  for (int i = 0; i < 1000; ++i) chunks += "1\r\nx\r\n";
  const std::string post_head = "POST /endless HTTP/1.1\r\nHost: a\r\n";
  std::thread body(
      [&] { send_for_ever(post_head + "Transfer-Encoding: chunked\r\n\r\n", chunks); });
  std::thread goodbye([&] {
    send_for_ever("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n", chunks);
  });
  EXPECT_EQ(status_of(Client(port()).ask(get("/"))), 200);
  body.join();
  goodbye.join();
  EXPECT_LT(Clock::now() - begun, milliseconds(10'000));
}

TEST_F(HttpServer, an_idle_connection_is_closed_without_a_word) {
  options_.limits.keep_alive_ms = 200;
  start();
  Client silent(port());
  Client once(port());
  EXPECT_EQ(status_of(once.ask(get("/"))), 200);
  EXPECT_EQ(once.rest(), "");
  EXPECT_EQ(silent.rest(), "");
  EXPECT_TRUE(eventually([&] { return server_->connections() == 0; }));
}

TEST_F(HttpServer, a_client_that_does_not_read_is_cut) {
  options_.limits.write_ms = 300;
  options_.handler = [](const Request&) { return Response{.body = std::string(64 << 20, 'x')}; };
  start();
  Client client(port());
  client.send(get("/"));
  EXPECT_TRUE(eventually([&] { return server_->connections() == 1; }));
  EXPECT_TRUE(eventually([&] { return server_->connections() == 0; }));
  EXPECT_LT(client.rest().size(), std::size_t{64} << 20);
}

TEST_F(HttpServer, a_client_that_reads_a_little_now_and_then_is_cut_too) {
  options_.limits.write_ms = 300;
  options_.limits.slowest_read_bytes_s = std::size_t{1} << 30;
  options_.handler = [](const Request&) { return Response{.body = std::string(64 << 20, 'x')}; };
  start();
  Client client(port());
  client.send(get("/"));
  std::string piece(16 << 10, '\0');
  EXPECT_TRUE(eventually([&] {
    std::ignore = recv(client.socket(), piece.data(), piece.size(), 0);
    return server_->connections() == 0;
  }));
}

TEST_F(HttpServer, connections_beyond_the_cap_are_closed) {
  options_.limits.connections = 3;
  start();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<Client>(port()));
    EXPECT_EQ(status_of(clients.back()->ask(get("/"))), 200);
  }
  EXPECT_EQ(Client(port()).ask(get("/")), "");
  clients.pop_back();
  EXPECT_TRUE(eventually([&] { return server_->connections() == 2; }));
  expect_alive();
}

TEST_F(HttpServer, a_full_queue_is_503_and_the_connection_lives) {
  std::counting_semaphore<100> go(0);
  std::atomic<int> begun = 0;
  options_.worker_threads = 1;
  options_.limits.queued_requests = 2;
  options_.handler = [&](const Request&) {
    ++begun;
    go.acquire();
    return Response{};
  };
  start();
  std::vector<std::unique_ptr<Client>> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(std::make_unique<Client>(port()));
    waiting.back()->send(get("/"));
    if (i == 0) ASSERT_TRUE(eventually([&] { return begun == 1; }));
  }
  // Two are in the queue as soon as a further one is refused.
  Client refused(port());
  std::string response;
  ASSERT_TRUE(eventually([&] {
    refused.send(get("/"));
    if (refused.closed_within(0)) return false;
    response = refused.response();
    return true;
  }));
  EXPECT_EQ(status_of(response), 503);
  EXPECT_TRUE(response.contains("Retry-After: 1\r\n")) << response;
  go.release(4);
  for (auto& client : waiting) EXPECT_EQ(status_of(client->response()), 200);
  EXPECT_EQ(status_of(refused.ask(get("/"))), 200);
}

TEST_F(HttpServer, a_hundred_clients_at_once_get_their_own_answers) {
  start();
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 100; ++i)
    threads.emplace_back([&, i] {
      Client client(port());
      for (int k = 0; k < 20; ++k) {
        const auto path = "/" + std::to_string(i) + "/" + std::to_string(k);
        const std::string body(static_cast<std::size_t>(k * 977), static_cast<char>('a' + k));
        if (body_of(client.ask(post(path, body))) == path + "|" + body) ++good;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 2000);
}

TEST_F(HttpServer, large_bodies_stream_in_within_the_budget) {
  constexpr std::size_t size = std::size_t{64} << 20;
  options_.limits.buffered_bytes = size + (1 << 20);
  options_.body_limit = [](const Request&) { return size; };
  options_.handler = [](const Request& request) {
    return Response{.body = std::to_string(request.body.size())};
  };
  start();
  Client client(port());
  const std::string block(1 << 20, 'x');
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
  for (std::size_t sent = 0; sent < size - block.size(); sent += block.size()) client.send(block);
  // The budget is nearly used up: a second one is turned away, small ones are not.
  Client second(port());
  second.send(post("/", std::string(8 << 20, 'y')));
  EXPECT_EQ(status_of(second.response()), 503);
  EXPECT_EQ(body_of(Client(port()).ask(get("/"))), "0");
  client.send(block);
  EXPECT_EQ(body_of(client.response()), std::to_string(size));
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (std::size_t sent = 0; sent < size; sent += block.size())
    client.send("100000\r\n" + block + "\r\n");
  client.send("0\r\n\r\n");
  EXPECT_EQ(body_of(client.response()), std::to_string(size));
}

TEST_F(HttpServer, answers_that_nobody_reads_are_bounded_too) {
  options_.limits.buffered_bytes = std::size_t{96} << 20;
  options_.handler = [](const Request& request) {
    return Response{.body = std::string(request.target == "/" ? 1 : 64 << 20, 'x')};
  };
  start();
  Client reader_of_nothing(port());
  reader_of_nothing.send(get("/big"));
  EXPECT_FALSE(reader_of_nothing.closed_within(5000)) << "the answer has begun";
  EXPECT_EQ(status_of(Client(port()).ask(get("/big"))), 503);
  EXPECT_EQ(status_of(Client(port()).ask(get("/"))), 200);
}

TEST_F(HttpServer, what_many_answers_share_is_no_answers_share_of_the_budget) {
  options_.limits.buffered_bytes = std::size_t{1} << 20;
  const auto shared = std::make_shared<const std::string>(64 << 20, 'x');
  options_.handler = [&](const Request& request) {
    if (request.target == "/shared") return Response{.shared_body = shared};
    return Response{.body = std::string(512 << 10, 'y')};
  };
  start();
  std::vector<std::unique_ptr<Client>> readers_of_nothing;
  for (int i = 0; i < 3; ++i) {
    readers_of_nothing.push_back(std::make_unique<Client>(port()));
    readers_of_nothing.back()->send(get("/shared"));
    EXPECT_FALSE(readers_of_nothing.back()->closed_within(5000)) << "the answer has begun";
  }
  EXPECT_EQ(body_of(Client(port()).ask(get("/"))).size(), 512U << 10);
  EXPECT_EQ(body_of(Client(port()).ask(get("/shared"))), *shared);
}

TEST_F(HttpServer, a_client_that_goes_away_harms_nobody) {
  options_.handler = [](const Request&) { return Response{.body = std::string(4 << 20, 'x')}; };
  start();
  for (int i = 0; i < 20; ++i) {
    Client client(port());
    client.send(get("/"));
    if (i % 2 == 0) client.response(false);
    const linger reset{.l_onoff = 1, .l_linger = 0};
    setsockopt(client.socket(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  EXPECT_EQ(status_of(Client(port()).ask(get("/"))), 200);
  EXPECT_TRUE(eventually([&] { return server_->connections() == 0; }));
}

TEST_F(HttpServer, without_descriptors_it_waits_and_does_not_spin) {
  start();
  std::vector<int> filling;
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit low{.rlim_cur = 128, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  for (int fd = 0; (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) filling.push_back(fd);
  ASSERT_FALSE(filling.empty());
  close(filling.back());
  filling.pop_back();
  Client client(port());
  client.send(get("/"));
  const auto processor_time = [] {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1'000'000;
  };
  const auto used = processor_time();
  std::this_thread::sleep_for(milliseconds(500));
  EXPECT_LT(processor_time() - used, 250);
  EXPECT_EQ(server_->connections(), 0U);
  for (const int fd : filling) close(fd);
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(status_of(client.response()), 200);
}

TEST_F(HttpServer, stop_ends_idle_connections_and_finishes_requests) {
  std::latch begun(1);
  options_.handler = [&](const Request& request) {
    if (request.target == "/slow") {
      begun.count_down();
      std::this_thread::sleep_for(milliseconds(300));
    }
    return Response{.body = "done"};
  };
  start();
  Client idle(port());
  EXPECT_EQ(status_of(idle.ask(get("/"))), 200);
  Client untouched(port());
  Client slow(port());
  slow.send(get("/slow"));
  begun.wait();
  const auto before = Clock::now();
  server_->stop(10'000);
  EXPECT_LT(Clock::now() - before, milliseconds(5000));
  const auto response = slow.response();
  EXPECT_EQ(body_of(response), "done");
  EXPECT_TRUE(response.contains("Connection: close\r\n"));
  EXPECT_EQ(idle.rest(), "");
  EXPECT_EQ(untouched.rest(), "");
  EXPECT_EQ(server_->connections(), 0U);
  EXPECT_FALSE(Client(port()).connected());
  server_->stop(10'000);
}

TEST_F(HttpServer, stop_cuts_what_outlasts_the_grace) {
  std::latch begun(1);
  std::counting_semaphore<1> go(0);
  options_.handler = [&](const Request&) {
    begun.count_down();
    go.acquire();
    return Response{};
  };
  start();
  Client hanging(port());
  hanging.send(get("/"));
  begun.wait();
  Client half(port());
  half.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nab");
  EXPECT_TRUE(eventually([&] { return server_->connections() == 2; }));
  const auto before = Clock::now();
  server_->stop(200);
  EXPECT_LT(Clock::now() - before, milliseconds(2000));
  EXPECT_EQ(hanging.rest(), "");
  EXPECT_EQ(half.rest(), "");
  go.release();
  server_.reset();
}

TEST_F(HttpServer, stops_under_load) {
  options_.limits.queued_requests = 20;
  start();
  std::atomic<bool> running = true;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i)
    threads.emplace_back([&] {
      while (running) {
        Client client(port());
        while (running && client.connected()) {
          const auto response = client.ask(get("/x"));
          if (response.empty()) break;
          const int status = status_of(response);
          if (status != 503 && body_of(response) != "/x|") ++wrong;
        }
      }
    });
  std::this_thread::sleep_for(milliseconds(300));
  const auto before = Clock::now();
  server_->stop(5000);
  EXPECT_LT(Clock::now() - before, milliseconds(5500));
  running = false;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(HttpServer, an_address_that_cannot_be_had_is_an_error) {
  start();
  options_.port = port();
  EXPECT_EQ(Server::start(options_).error().code, Errc::unavailable);
  options_.port = 0;
  for (const auto* bad : {"", "localhost", "1.2.3", "256.1.1.1", "[::1]"}) {
    options_.address = bad;
    EXPECT_EQ(Server::start(options_).error().code, Errc::invalid) << bad;
  }
  options_.address = "192.0.2.1";
  EXPECT_FALSE(Server::start(options_).has_value());
}

}  // namespace
}  // namespace tenken::http
