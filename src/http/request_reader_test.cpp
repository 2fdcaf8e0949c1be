#include "http/request_reader.h"

#include <gtest/gtest.h>

#include "http/response_head.h"

namespace tenken::http {
namespace {

using Phase = RequestReader::Phase;

struct Outcome {
  std::string request;  // "GET / headers=2 body=abc keep"
  int status = 0;
  std::size_t used = 0;
  bool operator==(const Outcome&) const = default;
};

struct Reading {
  Limits limits{.head_bytes = 1024, .headers = 10};
  std::size_t budget_bytes = 1 << 20;
  std::size_t body_limit = 1000;
};

// Feeds the bytes in pieces of the given size until a request is complete or refused.
Outcome read_in_pieces(std::string_view bytes, std::size_t piece, const Reading& reading = {}) {
  ByteBudget budget(reading.budget_bytes);
  Outcome out;
  {
    RequestReader reader(reading.limits, budget);
    while (out.used < bytes.size() && reader.phase() != Phase::complete &&
           reader.phase() != Phase::refused) {
      out.used += reader.feed(bytes.substr(out.used, piece));
      if (reader.phase() == Phase::head_complete) reader.accept_body(reading.body_limit);
    }
    if (reader.phase() == Phase::refused) out.status = reader.refusal().status;
    if (reader.phase() == Phase::complete) {
      const auto got = reader.take();
      out.request = got.request.method + " " + got.request.target +
                    " headers=" + std::to_string(got.request.headers.all.size()) +
                    " body=" + got.request.body + (got.keep_alive ? " keep" : " close");
      EXPECT_EQ(reader.phase(), Phase::idle);
    }
  }
  EXPECT_EQ(budget.used(), 0U);
  return out;
}

Outcome read(std::string_view bytes, const Reading& reading = {}) {
  const auto whole = read_in_pieces(bytes, bytes.size(), reading);
  auto bytewise = read_in_pieces(bytes, 1, reading);
  // A refusal may come earlier when the bytes do.
  if (whole.status != 0) bytewise.used = whole.used;
  EXPECT_EQ(whole.request, bytewise.request) << bytes;
  EXPECT_EQ(whole.status, bytewise.status) << bytes;
  return whole;
}

TEST(RequestReader, reads_requests_of_every_form) {
  EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: a\r\n\r\n").request, "GET / headers=1 body= keep");
  EXPECT_EQ(read("\r\n\r\nGET /a?b=%20 HTTP/1.1\r\nhost:a\r\nX: \t y z \t\r\n\r\n").request,
            "GET /a?b=%20 headers=2 body= keep");
  EXPECT_EQ(read("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcdef").request,
            "POST / headers=2 body=abc keep");
  EXPECT_EQ(read("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
                 "3\r\nabc\r\n00A;x=\"y\"\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nnext")
                .request,
            "PUT / headers=2 body=abc0123456789 keep");
  EXPECT_EQ(read("OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n").request, "OPTIONS * headers=1 body= keep");
  EXPECT_EQ(read("GET HTTP://b:80?x HTTP/1.1\r\nHost: a\r\n\r\n").request,
            "GET /?x headers=1 body= keep");
}

TEST(RequestReader, knows_who_wants_the_connection_kept) {
  EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n").request,
            "GET / headers=2 body= close");
  EXPECT_EQ(read("GET / HTTP/1.0\r\n\r\n").request, "GET / headers=0 body= close");
  EXPECT_EQ(read("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").request,
            "GET / headers=1 body= keep");
}

TEST(RequestReader, leaves_what_follows_a_request) {
  const std::string first = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
  EXPECT_EQ(read(first + "GET /next").used, first.size());
  const std::string chunked =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n";
  EXPECT_EQ(read(chunked + "GET /next").used, chunked.size());
}

TEST(RequestReader, an_absolute_target_names_the_host) {
  Limits limits;
  ByteBudget budget(1 << 20);
  RequestReader reader(limits, budget);
  reader.feed("GET http://real.example/x HTTP/1.1\r\nHost: other.example\r\n\r\n");
  EXPECT_EQ(reader.head().headers.get("host"), "real.example");
  EXPECT_EQ(reader.head().target, "/x");
}

// Two readers that disagree about any of these can be made to see different requests.
TEST(RequestReader, refuses_what_could_be_read_in_two_ways) {
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  for (const auto& bytes : {
           post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
           post + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
           post + "Content-Length: 3\r\ncontent-length: 4\r\n\r\nabc",
           post + "Content-Length: 3, 3\r\n\r\nabc",
           post + "Content-Length: +3\r\n\r\nabc",
           post + "Content-Length: -3\r\n\r\nabc",
           post + "Content-Length: 0x3\r\n\r\nabc",
           post + "Content-Length: 3 \x0b\r\n\r\nabc",
           post + "Content-Length:\r\n\r\nabc",
           post + "Content-Length: 99999999999999999999\r\n\r\nabc",
           post + "Content-Length : 3\r\n\r\nabc",
           post + " Content-Length: 3\r\n\r\nabc",
           post + "X: a\r\n b\r\n\r\n",
           post + "X: a\r\n\tb\r\n\r\n",
           post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
           post + "X\r\n\r\n",
           post + ": x\r\n\r\n",
           post + "X Y: x\r\n\r\n",
           post + "X\x01: x\r\n\r\n",
           post + "X: a\x01\r\n\r\n",
           post + "X: a\rContent-Length: 3\r\n\r\n",
           post + std::string("X: a\0b\r\n\r\n", 10),
           post + "X: a\nY: b\r\n\r\n",
           post + "Host: b\r\n\r\n",
           post + "\n",
           std::string("GET / HTTP/1.1\r\n\r\n"),
           std::string("GET / HTTP/1.1\nHost: a\n\n"),
           std::string("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
           std::string("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
           std::string("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
           std::string("GET / /x HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string(" GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string("GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string("GET /\r\n\r\n"),
           std::string("GET x HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string("GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string("GET /#f HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string("GET /\xC3\xA9 HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string("GET http:// HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string("GET http://u@b/ HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string("G@T / HTTP/1.1\r\nHost: a\r\n\r\n"),
           std::string("GET / http/1.1\r\nHost: a\r\n\r\n"),
           std::string("GET / HTTP/1.10\r\nHost: a\r\n\r\n"),
           std::string("GET / HTTP/11.\r\nHost: a\r\n\r\n"),
       })
    EXPECT_EQ(read(bytes).status, 400) << bytes;
}

TEST(RequestReader, refuses_malformed_chunks) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string body :
       {"\r\n", "g\r\n", "-1\r\n", "+1\r\na\r\n", "0x1\r\na\r\n", "1 x\r\na\r\n", " 1\r\na\r\n",
        "1\na\r\n", "1\r\nab\r\n", "1\r\na\n0\r\n\r\n", "1\r\na0\r\n\r\n",
        "0000000000000001\r\na\r\n", "1;\x01\r\na\r\n", "0\r\n\n", "0\r\nX : y\r\n\r\n",
        "0\r\n X: y\r\n\r\n", "1\r\na\r\n\r\n0\r\n\r\n"})
    EXPECT_EQ(read(head + body).status, 400) << body;
}

TEST(RequestReader, names_what_is_not_spoken) {
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  for (const std::string coding : {"gzip, chunked", "identity", "chunked, identity", "xchunked",
                                   "chunked;q=1", "", "\"chunked\""})
    EXPECT_EQ(read(post + "Transfer-Encoding: " + coding + "\r\n\r\n").status, 501) << coding;
  EXPECT_EQ(read(post + "Expect: 200-ok\r\n\r\n").status, 417);
  EXPECT_EQ(read("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").status, 505);
}

TEST(RequestReader, limits_hold_at_their_last_byte) {
  const std::string line = "GET / HTTP/1.1\r\n";
  const Reading tight{.limits = {.head_bytes = line.size() + 13, .headers = 2}};
  EXPECT_EQ(read(line + "Host: abc\r\n\r\n", tight).request, "GET / headers=1 body= keep");
  EXPECT_EQ(read(line + "Host: abcd\r\n\r\n", tight).status, 431);
  EXPECT_EQ(read("GET /" + std::string(2000, 'x'), tight).status, 414);
  const Reading few{.limits = {.head_bytes = 1000, .headers = 2}};
  EXPECT_EQ(read(line + "Host: a\r\nB: b\r\n\r\n", few).status, 0);
  EXPECT_EQ(read(line + "Host: a\r\nB: b\r\nC: c\r\n\r\n", few).status, 431);

  const Reading small{.body_limit = 3};
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(read(post + "Content-Length: 3\r\n\r\nabc", small).status, 0);
  EXPECT_EQ(read(post + "Content-Length: 4\r\n\r\n", small).status, 413);
  EXPECT_EQ(read(post + "Content-Length: 18446744073709551615\r\n\r\n", small).status, 413);
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(read(chunked + "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", small).status, 0);
  EXPECT_EQ(read(chunked + "2\r\nab\r\n2\r\n", small).status, 413);
  EXPECT_EQ(read(chunked + "fffffffffffffff\r\n", small).status, 413);
}

TEST(RequestReader, chunk_extensions_and_trailers_end_with_the_head_limit) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string plain = head;
  std::string extended = head;
  std::string trailed = head + "0\r\n";
  for (int i = 0; i < 500; ++i) {
    plain += "1\r\na\r\n";
    extended += "1;x=y\r\na\r\n";
  }
  trailed += "X: " + std::string(1100, 'x');
  EXPECT_EQ(read(plain + "0\r\n\r\n").status, 0);
  EXPECT_EQ(read(extended + "0\r\n\r\n").status, 431);
  EXPECT_EQ(read(trailed).status, 431);
}

TEST(RequestReader, the_budget_is_taken_as_bytes_come_not_as_they_are_announced) {
  const Limits limits;
  ByteBudget budget(1 << 20);
  RequestReader reader(limits, budget);
  reader.feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n");
  reader.accept_body(1 << 20);
  reader.feed(std::string(10'000, 'x'));
  EXPECT_LT(budget.used(), 50'000U);
  reader.feed(std::string(890'000, 'x'));
  ASSERT_EQ(reader.phase(), Phase::complete);
  EXPECT_GE(budget.used() + Lease::free_bytes, 900'000U);
  EXPECT_LE(budget.used(), 910'000U);
  {
    const auto taken = reader.take();
    RequestReader second(limits, budget);
    second.feed("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    second.accept_body(1 << 20);
    second.feed("80000\r\n");
    second.feed(std::string(0x80000, 'x'));
    EXPECT_EQ(second.refusal().status, 503);
  }
  EXPECT_EQ(budget.used(), 0U);
}

TEST(RequestReader, tells_who_waits_for_100_continue) {
  const Limits limits;
  ByteBudget budget(1 << 20);
  const std::string head =
      "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n";
  RequestReader reader(limits, budget);
  reader.feed(head);
  EXPECT_FALSE(reader.wants_continue());
  reader.accept_body(10);
  EXPECT_TRUE(reader.wants_continue());
  reader.feed("a");
  EXPECT_FALSE(reader.wants_continue());
  reader.feed("bc");
  EXPECT_EQ(reader.take().request.body, "abc");
  reader.feed(head);
  reader.accept_body(10);
  reader.continued();
  EXPECT_FALSE(reader.wants_continue());
  RequestReader too_large(limits, budget);
  too_large.feed(head);
  too_large.accept_body(2);
  EXPECT_FALSE(too_large.wants_continue());
}

TEST(Headers, names_ignore_case_and_set_leaves_one) {
  Headers headers{{{"A", "1"}, {"b", ""}, {"a", "2"}}};
  EXPECT_EQ(headers.get("a"), "1");
  EXPECT_TRUE(headers.has("B"));
  EXPECT_FALSE(headers.has("c"));
  headers.set("a", "3");
  headers.set("d", "4");
  EXPECT_EQ(headers.all,
            (std::vector<std::pair<std::string, std::string>>{{"A", "3"}, {"b", ""}, {"d", "4"}}));
}

TEST(ResponseHead, a_handler_cannot_end_a_line_or_frame_the_message) {
  Response response{.status = 200, .body = "abc"};
  response.headers.all = {{"X-Fine", "a b"},
                          {"X-Bad", "a\r\nX-Evil: 1"},
                          {"X-Bad\r\nX-Evil", "1"},
                          {"Content-Length", "99"},
                          {"transfer-encoding", "x"},
                          {"X-Nul", std::string("a\0b", 3)},
                          {"", "x"}};
  EXPECT_EQ(response_head(response, {.date = "D", .request_id = "I", .keep_alive = true}),
            "HTTP/1.1 200 OK\r\nServer: tenken\r\nDate: D\r\nConnection: keep-alive\r\n"
            "Content-Length: 3\r\nx-amzn-RequestId: I\r\nX-Fine: a b\r\n\r\n");
}

TEST(ResponseHead, the_handlers_request_id_wins_and_204_has_no_length) {
  Response response{.status = 204};
  response.headers.set("X-Amzn-RequestId", "mine");
  EXPECT_EQ(response_head(response, {.date = "D", .request_id = "I"}),
            "HTTP/1.1 204 No Content\r\nServer: tenken\r\nDate: D\r\nConnection: close\r\n"
            "X-Amzn-RequestId: mine\r\n\r\n");
}

}  // namespace
}  // namespace tenken::http
