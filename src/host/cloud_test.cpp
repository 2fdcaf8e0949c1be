#include "host/cloud.h"

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "host/http_answer.h"
#include "inventory/temp_root.h"

namespace tenken::host {
namespace {

constexpr std::string_view document = R"({
  "accountId" : "123456789012", "architecture" : "x86_64", "availabilityZone" : "eu-west-1a",
  "billingProducts" : null, "imageId" : "ami-0123456789abcdef0",
  "instanceId" : "i-0123456789abcdef0", "instanceType" : "t3.micro", "region" : "eu-west-1",
  "pendingTime" : "2024-01-31T12:00:00Z"})";
const CloudInstance instance{.provider = "aws",
                             .instance_id = "i-0123456789abcdef0",
                             .account = "123456789012",
                             .region = "eu-west-1",
                             .type = "t3.micro",
                             .image = "ami-0123456789abcdef0",
                             .launched = "2024-01-31T12:00:00Z"};

std::string answer(std::string_view status, std::string_view body) {
  return "HTTP/1.1 " + std::string(status) +
         " x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

// Answers each connection with what the function makes of the request's head.
class Server {
 public:
  using Answer = std::function<std::string(const std::string& request)>;

  // pause_ms: before each byte of an answer.
  explicit Server(Answer answer, int pause_ms = 0)
      : answer_(std::move(answer)), pause_ms_(pause_ms), fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(fd_.get(), generic, size), 0);
    EXPECT_EQ(::listen(fd_.get(), 8), 0);
    EXPECT_EQ(::getsockname(fd_.get(), generic, &size), 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  const std::string& address() const { return address_; }
  int requests() const { return requests_; }

 private:
  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd wanted{.fd = fd_.get(), .events = POLLIN, .revents = 0};
      if (::poll(&wanted, 1, 10) <= 0) continue;
      const Fd peer(::accept(fd_.get(), nullptr, nullptr));
      std::string request;
      std::array<char, 1024> piece;
      while (!request.contains("\r\n\r\n")) {
        const auto count = ::recv(peer.get(), piece.data(), piece.size(), 0);
        if (count <= 0) break;
        request.append(piece.data(), static_cast<std::size_t>(count));
      }
      ++requests_;
      send(peer.get(), answer_(request), stop);
    }
  }
  void send(int peer, const std::string& text, const std::stop_token& stop) const {
    if (pause_ms_ == 0) {
      std::size_t sent = 0;
      while (sent < text.size()) {
        const auto count = ::send(peer, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) return;
        sent += static_cast<std::size_t>(count);
      }
      return;
    }
    for (const char& c : text) {
      std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms_));
      if (stop.stop_requested() || ::send(peer, &c, 1, MSG_NOSIGNAL) != 1) return;
    }
    // A server without a word keeps the connection.
    if (text.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms_));
  }

  Answer answer_;
  int pause_ms_;
  Fd fd_;
  std::string address_;
  std::atomic<int> requests_ = 0;
  std::jthread thread_;
};

std::string with_token(const std::string& request) {
  if (request.starts_with("PUT /latest/api/token HTTP/1.1\r\n"))
    return request.contains("X-aws-ec2-metadata-token-ttl-seconds: ") ? answer("200", "abc==")
                                                                      : answer("400", "");
  if (!request.contains("X-aws-ec2-metadata-token: abc==\r\n")) return answer("401", "");
  return request.starts_with("GET /latest/dynamic/instance-identity/document HTTP/1.1\r\n")
             ? answer("200", document)
             : answer("404", "");
}

std::string with_metadata(const std::string& request) {
  constexpr std::pair<std::string_view, std::string_view> values[] = {
      {"mac", "02:0a:00:00:00:01"},
      {"network/interfaces/macs/02:0a:00:00:00:01/vpc-id", "vpc-1"},
      {"network/interfaces/macs/02:0a:00:00:00:01/subnet-id", "subnet-1\n"},
      {"public-ipv4", "203.0.113.7"},
      {"public-keys/", "0=ops"},
      {"iam/info", R"({"InstanceProfileArn":"arn:aws:iam::123456789012:instance-profile/web"})"}};
  if (!request.contains("X-aws-ec2-metadata-token: abc==\r\n")) return with_token(request);
  for (const auto& [path, value] : values)
    if (request.starts_with("GET /latest/meta-data/" + std::string(path) + " HTTP"))
      return answer("200", value);
  return with_token(request);
}

TEST(Cloud, a_service_that_needs_a_token_is_asked_with_one) {
  const Server server(with_token);
  EXPECT_EQ(ask_cloud(server.address(), 5000), instance);
  EXPECT_EQ(server.requests(), 6);  // of what else there may be to tell, nothing is there
}

TEST(Cloud, what_the_document_lacks_is_asked_for) {
  const Server server(with_metadata);
  auto wanted = instance;
  wanted.vpc = "vpc-1";
  wanted.subnet = "subnet-1";
  wanted.public_address = "203.0.113.7";
  wanted.key_name = "ops";
  wanted.instance_profile = "arn:aws:iam::123456789012:instance-profile/web";
  EXPECT_EQ(ask_cloud(server.address(), 5000), wanted);
}

TEST(Cloud, a_body_without_a_length_ends_with_the_connection) {
  const Server server([](const std::string& request) {
    if (request.starts_with("PUT")) return std::string("HTTP/1.0 200 OK\r\n\r\nabc");
    return "HTTP/1.0 200 OK\r\nServer: x\r\n\r\n" + std::string(document);
  });
  EXPECT_EQ(ask_cloud(server.address(), 5000), instance);
}

TEST(Cloud, a_service_that_knows_no_tokens_is_asked_without) {
  for (const std::string status : {"404", "405"}) {
    const Server server([&](const std::string& request) {
      return request.starts_with("PUT") ? answer(status, "no") : answer("200", document);
    });
    EXPECT_EQ(ask_cloud(server.address(), 5000), instance);
  }
}

TEST(Cloud, a_service_that_refuses_a_token_is_asked_no_more) {
  const Server server([](const std::string& request) {
    return request.starts_with("PUT") ? answer("403", "") : answer("200", document);
  });
  EXPECT_EQ(ask_cloud(server.address(), 5000), CloudInstance{});
  EXPECT_EQ(server.requests(), 1);
}

TEST(Cloud, the_whole_question_has_one_end) {
  const auto begin = std::chrono::steady_clock::now();
  const Server slow(with_token, 40);
  EXPECT_EQ(ask_cloud(slow.address(), 200), CloudInstance{});
  const Server silent([](const std::string&) { return ""; }, 400);
  EXPECT_EQ(ask_cloud(silent.address(), 200), CloudInstance{});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST(Cloud, what_is_no_answer_is_none) {
  for (const auto& text :
       {std::string("SSH-2.0-x\r\n\r\n"), std::string("HTTP/1.1 200 OK\r\n"), std::string(),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
        answer("200", std::string(1 << 20, 'a')), answer("200", "a b\r\nX: y"), answer("200", ""),
        answer("500", "abc")}) {
    const Server server([&](const std::string&) { return text; });
    EXPECT_EQ(ask_cloud(server.address(), 5000), CloudInstance{}) << text.substr(0, 80);
  }
}

TEST(Cloud, where_nobody_listens_nobody_answers) {
  EXPECT_EQ(ask_cloud("127.0.0.1:1", 200), CloudInstance{});
  EXPECT_EQ(ask_cloud("127.0.0.1", 200), CloudInstance{});
  EXPECT_EQ(ask_cloud("localhost:80", 200), CloudInstance{});
  EXPECT_EQ(ask_cloud("127.0.0.1:65536", 200), CloudInstance{});
}

TEST(Cloud, an_answer_in_parts_is_awaited) {
  EXPECT_EQ(parse_http_answer("HT")->status, 0U);
  EXPECT_EQ(parse_http_answer("HTTP/1.1 200 OK\r\n")->status, 0U);
  const auto part = parse_http_answer("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab");
  EXPECT_EQ(part->status, 200U);
  EXPECT_FALSE(part->complete);
  EXPECT_EQ(parse_http_answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd")->body, "abc");
  EXPECT_FALSE(parse_http_answer("HTTP/2 200\r\n\r\n"));
  EXPECT_FALSE(parse_http_answer("HTTP/1.1\r\n\r\n"));
  EXPECT_FALSE(parse_http_answer("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"));
  EXPECT_FALSE(
      parse_http_answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"));
}

TEST(Cloud, a_document_of_another_form_is_invalid) {
  EXPECT_EQ(*parse_identity_document(document), instance);
  EXPECT_EQ(instance.launched, "2024-01-31T12:00:00Z");
  const auto with = [](std::string_view from, std::string_view to) {
    std::string text(document);
    return parse_identity_document(text.replace(text.find(from), from.size(), to));
  };
  EXPECT_FALSE(with("\"i-0", "\"x-0"));
  EXPECT_FALSE(with("123456789012", "12345678901"));
  EXPECT_FALSE(with("\"eu-west-1\"", "7"));
  EXPECT_FALSE(with("t3.micro", "t3 micro"));
  EXPECT_FALSE(with("imageId", "image"));
  EXPECT_FALSE(parse_identity_document("[]"));
  EXPECT_FALSE(parse_identity_document(""));
}

TEST(Cloud, whether_to_ask_at_all_is_told_by_the_machine) {
  const auto told = [](std::string_view file, std::string_view text) {
    const inventory::test::TempRoot sys;
    sys.write(file, text);
    return may_be_cloud_instance(sys.path());
  };
  EXPECT_TRUE(told("class/dmi/id/sys_vendor", "Amazon EC2\n"));
  EXPECT_TRUE(told("class/dmi/id/board_vendor", "Amazon EC2\n"));
  EXPECT_TRUE(told("class/dmi/id/bios_version", "4.11.amazon\n"));
  EXPECT_TRUE(told("hypervisor/uuid", "EC2e1916-9099-7caf-fd21-012345abcdef\n"));
  EXPECT_FALSE(told("class/dmi/id/sys_vendor", "QEMU\n"));
  EXPECT_FALSE(told("other", ""));
}

}  // namespace
}  // namespace tenken::host
