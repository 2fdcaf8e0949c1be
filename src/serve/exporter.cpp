#include "serve/exporter.h"

#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "api/exports/worker.h"
#include "base/text.h"
#include "base/time.h"
#include "fetch/http_sender.h"
#include "fetch/url.h"
#include "serve/sleeper.h"

namespace tenken::serve {
namespace {

constexpr auto look_interval = std::chrono::seconds(1);
// An account has two exports in progress at most, one of a kind: one place stays for others.
constexpr int workers = 3;

class RunningExporter : public Exporter {
 public:
  explicit RunningExporter(ExporterOptions options) : options_(std::move(options)) {
    for (int i = 0; i < workers; ++i) threads_.emplace_back([this, i] { work(i); });
  }
  ~RunningExporter() override { stop(); }

  void stop() override {
    sleeper_.stop();
    for (auto& thread : threads_)
      if (thread.joinable()) thread.join();
  }

 private:
  void work(int number) {
    api::exports::Worker worker({.pool = options_.pool,
                                 .name = fmt::format("{}/export-{}", options_.node, number),
                                 .region = options_.region,
                                 .s3_endpoint = options_.rules.s3_endpoint,
                                 .directory = options_.rules.directory,
                                 .work_directory = options_.data_directory,
                                 .sender = [] { return fetch::http_sender("tenken"); },
                                 .clock = [] { return now(); },
                                 .stopping = [this] { return sleeper_.stopping(); },
                                 .log =
                                     [this](std::string_view name, std::string_view cause) {
                                       options_.log->note(Level::error, "export failed",
                                                          {{"export", name}, {"error", cause}});
                                     }});
    std::string last_fault;
    std::chrono::milliseconds pause = look_interval;
    do {
      const auto done = worker.work();
      auto fault = done ? std::string() : done.error().what;
      if (fault != last_fault && !fault.empty())
        options_.log->note(Level::error, "exports", {{"error", fault}});
      last_fault = std::move(fault);
      pause = done && *done > 0 ? std::chrono::seconds(0) : look_interval;
    } while (sleeper_.sleep(pause));
  }

  ExporterOptions options_;
  Sleeper sleeper_;
  std::vector<std::thread> threads_;
};

}  // namespace

Result<api::exports::Policy> read_policy(const ExportRules& rules) {
  std::error_code error;
  if (!rules.s3_endpoint.empty() && !fetch::parse_url(rules.s3_endpoint))
    return invalid(fmt::format("--s3-endpoint-url {}: https://HOST:PORT is needed",
                               printable(rules.s3_endpoint)));
  if (std::filesystem::exists(rules.directory, error) &&
      !std::filesystem::is_directory(rules.directory, error))
    return invalid(fmt::format("{}: it is no directory", rules.directory)).within("--export-dir");
  api::exports::Policy out{.buckets = {}, .directory = rules.directory};
  for (const auto& text : rules.buckets) {
    TRY(auto bucket, api::exports::parse_bucket(text));
    out.buckets.push_back(std::move(bucket));
  }
  return out;
}

std::unique_ptr<Exporter> Exporter::start(ExporterOptions options) {
  return std::make_unique<RunningExporter>(std::move(options));
}

}  // namespace tenken::serve
