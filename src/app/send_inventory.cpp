// tenken scan --server: takes the inventory and sends it to a tenken server, which matches it. No
// advisory database is needed here. What the server already has is not sent again: it is asked by
// the digest first.
#include <algorithm>
#include <chrono>
#include <ctime>
#include <iterator>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "app/commands.h"
#include "app/console.h"
#include "app/office.h"
#include "app/version.h"
#include "aws/credentials.h"
#include "aws/sigv4.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "crypto/encode.h"
#include "crypto/hash.h"
#include "crypto/openssl.h"
#include "fetch/http_sender.h"
#include "fetch/retry.h"
#include "fetch/url.h"
#include "host/cloud.h"
#include "host/identity.h"
#include "inventory/document.h"
#include "inventory/root.h"

namespace tenken::app {
namespace {

constexpr std::string_view service = "inspector2";
// Together below ten seconds of waiting: whoever waits for the answer is a CI job or a cron line.
constexpr fetch::RetryPolicy retries{
    .attempts = 5, .first_wait_ms = 500, .longest_wait_ms = 4'000, .longest_retry_after_s = 2};
constexpr std::uint32_t longest_connect_ms = 8'000;
constexpr std::uint32_t shortest_connect_ms = 1'000;
constexpr std::uint32_t transfer_seconds = 300;
constexpr std::uint32_t longest_waiting_ms = 9'000;
constexpr std::uint32_t cloud_limit_ms = 2'000;
constexpr std::size_t authority_limit = std::size_t{1} << 20;
constexpr std::string_view certificate_mark = " CERTIFICATE-----";  // "BEGIN TRUSTED" too

// Requests are signed with the time of day, whatever $SOURCE_DATE_EPOCH says.
Seconds time_of_day() {
  return std::time(nullptr);
}

// A name may begin with "127." too, and be anybody's.
bool is_loopback(std::string_view host) {
  const std::string name(
      host.substr(0, host.starts_with('[') ? host.find(']') + 1 : host.rfind(':')));
  in_addr address{};
  const bool is_address = ::inet_pton(AF_INET, name.c_str(), &address) == 1;
  return name == "localhost" || name == "[::1]" || (is_address && name.starts_with("127."));
}

Result<fetch::Url> server_url(std::string_view text) {
  TRY(const auto url, fetch::parse_url(text));
  if (!url.query.empty() || (!url.path.empty() && url.path != "/"))
    return invalid(fmt::format("{}: https://HOST:PORT is needed", text));
  if (url.scheme != "https" && !is_loopback(url.host))
    return invalid(fmt::format("{}: http is for loopback addresses only", text));
  return url;
}

// As its agent would be named: by its cloud, else by its machine id.
Result<std::string> resource_of_host(const pipeline::ScanOptions& scan) {
  const auto& directory = scan.copy ? scan.copy->directory : scan.rootfs;
  const bool is_running_host = !scan.copy && (directory.empty() || directory == "/");
  if (is_running_host && host::may_be_cloud_instance()) {
    auto instance = host::ask_cloud(host::metadata_address, cloud_limit_ms);
    // By its machine id it would be another resource, with all its findings once more.
    if (instance.instance_id.empty())
      return unavailable("this is an instance of a cloud whose metadata service does not answer");
    return std::move(instance.instance_id);
  }
  TRY(const auto root, inventory::Root::at(directory.empty() ? "/" : directory));
  TRY(const auto machine, host::machine_hash(root));
  return host::resource_of_machine(machine);
}

std::string target_of(std::string_view resource, const ServerArguments& server,
                      std::string_view digest) {
  using aws::Slash;
  auto out =
      fmt::format("/v1/resources/{}/inventory?type={}", aws::uri_encode(resource, Slash::encode),
                  server.type.empty() ? "host" : server.type);
  const auto add = [&out](std::string_view name, std::string_view value) {
    if (!value.empty()) out += fmt::format("&{}={}", name, aws::uri_encode(value, Slash::encode));
  };
  for (const auto& tag : server.tags) add("tag", tag);
  add("ttl", server.ttl);
  add("mode", server.agentless ? "agentless" : "");
  add("digest", digest);
  return out;
}

// Signed requests to the server, tried again where that may help.
class Server {
 public:
  Server(HttpSender& sender, fetch::Url url, aws::Credentials credentials, std::string region)
      : sender_(sender),
        url_(url),
        credentials_(std::move(credentials)),
        region_(std::move(region)) {}

  // Any status that does not go away by itself is an answer. All requests share the time in which
  // they are tried again.
  Result<HttpAnswer> put(const std::string& target, std::string_view body) {
    for (unsigned attempt = 1;; ++attempt) {
      auto answer = put_once(target, body);
      if (answer && answer->status < 400) return answer;
      const auto failure = answer ? fetch::Failure{.status = answer->status,
                                                   .retry_after = answer->header("retry-after")}
                                  : fetch::Failure{.error = answer.error().code};
      const auto wait =
          fetch::retry_wait_ms(retries, attempt, failure, time_of_day(), fetch::random_fraction());
      if (!wait || *wait >= time_left_ms()) return answer;
      fetch::sleep_ms(*wait);
    }
  }

 private:
  Result<HttpAnswer> put_once(const std::string& target, std::string_view body) {
    std::vector<aws::Header> headers{
        {"host", std::string(url_.host)},
        {"content-type", std::string(inventory::document_type)},
    };
    const aws::RequestHead head{.method = "PUT", .target = target, .headers = headers};
    auto added =
        aws::sign(head, aws::payload_hash(body), credentials_, region_, service, time_of_day());
    std::ranges::move(added, std::back_inserter(headers));
    return sender_.send(
        {.method = "PUT",
         .url = fmt::format("{}://{}{}", url_.scheme, url_.host, target),
         .headers = std::move(headers),
         .body = body,
         .connect_ms = std::clamp(time_left_ms(), shortest_connect_ms, longest_connect_ms),
         .total_seconds = transfer_seconds});
  }

  std::uint32_t time_left_ms() const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline_ - std::chrono::steady_clock::now());
    return static_cast<std::uint32_t>(std::max<std::int64_t>(left.count(), 0));
  }

  const std::chrono::steady_clock::time_point deadline_ =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(longest_waiting_ms);
  HttpSender& sender_;
  fetch::Url url_;
  aws::Credentials credentials_;
  std::string region_;
};

// What the server says of a refusal.
Error refusal(const HttpAnswer& answer) {
  json::Parser parser;
  const auto body = parser.parse(answer.body);
  const auto message = body ? (*body)["message"].string() : std::string_view();
  return {Errc::denied, message.empty() ? fmt::format("status {}", answer.status)
                                        : fmt::format("status {}: {}", answer.status, message)};
}

// libcurl's words say what is wrong with the certificate, not what to do.
Error not_trusted(const Error& error) {
  return {error.code,
          fmt::format("the server's certificate is not trusted: {}; --ca FILE names its authority "
                      "(tls/ca.pem of the server), and the certificate must name HOST",
                      error.what)};
}

// Whether the server had this inventory already.
Result<bool> send(Server& server, const ServerArguments& arguments, std::string_view resource,
                  std::string_view document) {
  const auto digest = crypto::to_hex(crypto::view(crypto::sha256(document)));
  auto known = server.put(target_of(resource, arguments, digest), {});
  if (!known && known.error().code == Errc::denied) return not_trusted(known.error());
  TRY(const auto asked, std::move(known));
  if (asked.status == 200) return true;
  if (asked.status != 412) return refusal(asked);
  TRY(const auto sent, server.put(target_of(resource, arguments, {}), document));
  if (sent.status != 200) return refusal(sent);
  return false;
}

Result<bool> send(const ServerArguments& arguments, fetch::Url url, std::string_view resource,
                  std::string_view document) {
  TRY_VOID(crypto::load_openssl());
  TRY(auto credentials, aws::find_credentials());
  TRY(auto region, aws::find_region());
  TRY(const auto sender, fetch::http_sender(fmt::format("tenken/{}", tool_version), arguments.ca));
  Server server(*sender, url, std::move(credentials), std::move(region));
  return send(server, arguments, resource, document).within(arguments.url);
}

// A server that starts at this moment is about to write it, and what copies a file makes it empty
// first. One that says something else is another file, which does not become a certificate.
Result<> wait_for(const std::string& file) {
  constexpr std::uint32_t step_ms = 100;
  for (std::uint32_t waited_ms = 0;; waited_ms += step_ms) {
    const auto read = read_file(file, authority_limit);
    if (read && read->contains(certificate_mark)) return {};
    const bool may_come = read ? read->empty() : read.error().code == Errc::not_found;
    if (!may_come || waited_ms >= longest_waiting_ms)
      return read ? invalid(fmt::format("{}: no PEM certificate", file)) : read.error();
    fetch::sleep_ms(step_ms);
  }
}

}  // namespace

int send_inventory(const pipeline::ScanOptions& scan, const ServerArguments& server) {
  const auto url = server_url(server.url);
  if (!url) {
    complain(said("--server: {}", said_of(url.error().what)));
    return exit_usage;
  }
  if (const auto tags = read_tags(server.tags); !tags) {
    complain(said_of(tags.error().what));
    return exit_usage;
  }
  if (!server.ca.empty()) {
    if (const auto there = wait_for(server.ca); !there) {
      complain(said("--ca: {}", said_of(there.error().what)));
      return exit_usage;
    }
  }
  auto resource = server.resource;
  if (resource.empty()) {
    auto made = scan.sbom.empty() ? resource_of_host(scan) : invalid("an SBOM has no machine id");
    if (!made) {
      complain(said("--resource is needed: {}", said_of(made.error().what)));
      return exit_usage;
    }
    resource = *std::move(made);
  }
  const auto inventory = pipeline::take_inventory(scan);
  if (!inventory) {
    complain(printable(inventory.error().what));
    return exit_target;
  }
  if (inventory->databases_read == 0) {
    complain(said("{}: no package database that is known", printable(inventory->name)));
    return exit_target;
  }
  const auto unchanged = send(server, *url, resource, inventory::write_document(*inventory));
  if (!unchanged) {
    complain(printable(unchanged.error().what));
    return exit_server;
  }
  print(*unchanged
            ? said("{}: nothing has changed since the last report\n", printable(resource))
            : said("{}: {} packages reported\n", printable(resource), inventory->packages.size()));
  return exit_ok;
}

}  // namespace tenken::app
