#include "host/cloud.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "host/http_answer.h"

namespace tenken::host {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t connect_limit_ms = 500;
constexpr std::size_t max_answer_bytes = 64 * 1024;
constexpr std::size_t max_token_bytes = 1024;
constexpr std::size_t max_text_bytes = 128;
constexpr std::size_t max_arn_bytes = 2048;
constexpr std::size_t max_dmi_bytes = 4096;

class Deadline {
 public:
  explicit Deadline(std::uint32_t limit_ms)
      : end_(Clock::now() + std::chrono::milliseconds(limit_ms)) {}

  // Whether the descriptor became ready in time, and within most_ms.
  bool wait(int fd, short events, std::uint32_t most_ms) const {
    const auto own_end = std::min(end_, Clock::now() + std::chrono::milliseconds(most_ms));
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(own_end - Clock::now());
      if (left.count() <= 0) return false;
      pollfd wanted{.fd = fd, .events = events, .revents = 0};
      const int ready = ::poll(&wanted, 1, static_cast<int>(left.count()));
      if (ready > 0) return true;
      if (ready == 0 || errno != EINTR) return false;
    }
  }

 private:
  Clock::time_point end_;
};

constexpr std::uint32_t no_own_limit = 3'600'000;

std::optional<sockaddr_in> parse_endpoint(std::string_view address) {
  const auto [host, port_text] = split_once(address, ':');
  const auto port = parse_uint(port_text.value_or(""));
  sockaddr_in endpoint{};
  endpoint.sin_family = AF_INET;
  if (!port || *port == 0 || *port > 65'535 ||
      ::inet_pton(AF_INET, std::string(host).c_str(), &endpoint.sin_addr) != 1)
    return std::nullopt;
  endpoint.sin_port = htons(static_cast<std::uint16_t>(*port));
  return endpoint;
}

Fd connect_to(const sockaddr_in& endpoint, const Deadline& deadline) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return {};
  const auto* address = reinterpret_cast<const sockaddr*>(&endpoint);
  if (::connect(fd.get(), address, sizeof endpoint) == 0) return fd;
  if (errno != EINPROGRESS || !deadline.wait(fd.get(), POLLOUT, connect_limit_ms)) return {};
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) return {};
  return fd;
}

bool send_all(int fd, std::string_view bytes, const Deadline& deadline) {
  while (!bytes.empty()) {
    const auto count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (count < 0 && errno != EINTR &&
               (errno != EAGAIN || !deadline.wait(fd, POLLOUT, no_own_limit))) {
      return false;
    }
  }
  return true;
}

struct Answer {
  std::uint32_t status = 0;
  std::string body;
};

std::optional<Answer> receive(int fd, const Deadline& deadline) {
  std::string text;
  std::array<char, 4096> piece;
  for (;;) {
    if (!deadline.wait(fd, POLLIN, no_own_limit)) return std::nullopt;
    const auto count = ::recv(fd, piece.data(), piece.size(), 0);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) return std::nullopt;
    text.append(piece.data(), static_cast<std::size_t>(count));
    if (text.size() > max_answer_bytes) return std::nullopt;
    const auto answer = parse_http_answer(text);
    if (!answer) return std::nullopt;
    const bool ended = count == 0 && answer->endless;
    if (answer->status != 0 && (answer->complete || ended))
      return Answer{answer->status, std::string(answer->body)};
    if (count == 0) return std::nullopt;
  }
}

// The metadata service at an address, asked within one deadline.
class MetadataService {
 public:
  MetadataService(const std::string& address, const sockaddr_in& endpoint, Deadline deadline)
      : address_(address), endpoint_(endpoint), deadline_(deadline) {}

  std::optional<Answer> ask(std::string_view method_and_path, std::string_view header) const {
    const Fd fd = connect_to(endpoint_, deadline_);
    if (!fd.valid()) return std::nullopt;
    const auto request = fmt::format("{} HTTP/1.1\r\nHost: {}\r\n{}Connection: close\r\n\r\n",
                                     method_and_path, address_, header);
    if (!send_all(fd.get(), request, deadline_)) return std::nullopt;
    return receive(fd.get(), deadline_);
  }

  // The header that proves the right to ask; empty where the service knows no tokens.
  std::optional<std::string> token_header() const {
    const auto answer = ask("PUT /latest/api/token",
                            "X-aws-ec2-metadata-token-ttl-seconds: 60\r\nContent-Length: 0\r\n");
    if (!answer) return std::nullopt;
    if (answer->status == 404 || answer->status == 405) return std::string();
    const auto token = trim(answer->body);
    const bool printable_ascii =
        std::ranges::all_of(token, [](char c) { return c > ' ' && c < '\x7f'; });
    if (answer->status != 200 || token.empty() || token.size() > max_token_bytes ||
        !printable_ascii)
      return std::nullopt;
    return fmt::format("X-aws-ec2-metadata-token: {}\r\n", token);
  }

 private:
  const std::string& address_;
  sockaddr_in endpoint_;
  Deadline deadline_;
};

// The value below /latest/meta-data; empty: there is none.
std::string metadata(const MetadataService& service, std::string_view path,
                     std::string_view token) {
  const auto answer = service.ask(fmt::format("GET /latest/meta-data/{}", path), token);
  if (!answer || answer->status != 200) return {};
  const auto value = trim(answer->body);
  const bool is_word = value.size() <= max_text_bytes &&
                       std::ranges::all_of(value, [](char c) { return c > ' ' && c < '\x7f'; });
  return is_word ? std::string(value) : std::string();
}

// "0=name".
std::string key_name_of(std::string_view listed) {
  return std::string(split_once(listed, '=').second.value_or(""));
}

std::string instance_profile(const MetadataService& service, std::string_view token) {
  const auto answer = service.ask("GET /latest/meta-data/iam/info", token);
  if (!answer || answer->status != 200) return {};
  json::Parser parser({.bytes = max_answer_bytes, .depth = 8, .unique_keys = true});
  const auto info = parser.parse(answer->body);
  if (!info) return {};
  const auto arn = (*info)["InstanceProfileArn"].string();
  return arn.starts_with("arn:") && arn.size() <= max_arn_bytes && printable(arn) == arn
             ? std::string(arn)
             : std::string();
}

// What the identity document does not say. A mac is of letters, digits and colons.
void add_metadata(const MetadataService& service, std::string_view token, CloudInstance& instance) {
  const auto mac = metadata(service, "mac", token);
  const bool plain =
      !mac.empty() && std::ranges::all_of(mac, [](char c) { return is_alnum(c) || c == ':'; });
  if (plain) {
    const auto interface = fmt::format("network/interfaces/macs/{}/", mac);
    instance.vpc = metadata(service, interface + "vpc-id", token);
    instance.subnet = metadata(service, interface + "subnet-id", token);
  }
  instance.public_address = metadata(service, "public-ipv4", token);
  instance.key_name = key_name_of(metadata(service, "public-keys/", token));
  instance.instance_profile = instance_profile(service, token);
}

// Ids, regions and types are of these letters.
bool is_plain(std::string_view text) {
  return text.size() <= max_text_bytes &&
         std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '-' || c == '.'; });
}

bool begins(const std::string& path, std::string_view prefix) {
  const auto text = read_file(path, max_dmi_bytes);
  return text && equal_ignoring_case(std::string_view(*text).substr(0, prefix.size()), prefix);
}

}  // namespace

// Nitro and bare metal name themselves in DMI; Xen in the hypervisor's UUID and the BIOS version.
// Source: EC2 User Guide, "Identify EC2 instances".
bool may_be_cloud_instance(const std::string& sys) {
  const auto dmi = sys + "/class/dmi/id/";
  if (begins(dmi + "sys_vendor", "Amazon EC2") || begins(dmi + "board_vendor", "Amazon EC2") ||
      begins(sys + "/hypervisor/uuid", "ec2"))
    return true;
  const auto bios = read_file(dmi + "bios_version", max_dmi_bytes);
  return bios && bios->contains("amazon");
}

CloudInstance ask_cloud(const std::string& address, std::uint32_t limit_ms) {
  const auto endpoint = parse_endpoint(address);
  if (!endpoint) return {};
  const MetadataService service(address, *endpoint, Deadline(limit_ms));
  const auto token = service.token_header();
  if (!token) return {};
  const auto answer = service.ask("GET /latest/dynamic/instance-identity/document", *token);
  if (!answer || answer->status != 200) return {};
  auto instance = parse_identity_document(answer->body).value_or(CloudInstance{});
  if (!instance.instance_id.empty()) add_metadata(service, *token, instance);
  return instance;
}

Result<CloudInstance> parse_identity_document(std::string_view json) {
  json::Parser parser({.bytes = max_answer_bytes, .depth = 8, .unique_keys = true});
  TRY(const auto document, parser.parse(json));
  const auto text = [&](std::string_view name) -> Result<std::string> {
    const auto value = document[name];
    if (!value.is_string() || !is_plain(value.string()))
      return invalid(fmt::format("{}: a word is needed", name));
    return std::string(value.string());
  };
  CloudInstance out{.provider = "aws"};
  TRY(out.instance_id, text("instanceId"));
  TRY(out.account, text("accountId"));
  TRY(out.region, text("region"));
  TRY(out.type, text("instanceType"));
  TRY(out.image, text("imageId"));
  if (const auto pending = document["pendingTime"].string(); parse_time(pending))
    out.launched = std::string(pending);
  if (!out.instance_id.starts_with("i-")) return invalid("instanceId: does not begin with i-");
  if (out.account.size() != 12 || !parse_uint(out.account))
    return invalid("accountId: twelve digits are needed");
  return out;
}

}  // namespace tenken::host
