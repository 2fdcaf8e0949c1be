// Feeds fetched over real HTTP from tests/e2e/mirror_server.py, which serves the shared test data
// and misbehaves on demand. Nobody waits: sleeping between attempts is only written down.
#include <algorithm>
#include <array>
#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "fetch/fetch_feed.h"
#include "fetch/http.h"
#include "fetch/url.h"
#include "support/scratch.h"
#include "support/test_data.h"

namespace tenken::fetch {
namespace {

namespace fs = std::filesystem;
using test::Scratch;

constexpr std::string_view osv_host = "osv-vulnerabilities.storage.googleapis.com/";
constexpr std::string_view kev_path =
    "www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json";

class TextBody final : public Body {
 public:
  Result<> begin(const Response&) override { return {}; }
  Result<> write(std::string_view bytes) override {
    text += bytes;
    return {};
  }
  std::string text;
};

// Runs a program to its end; true: it said 0.
bool run(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  const int fault =
      ::posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  int status = -1;
  return fault == 0 && ::waitpid(pid, &status, 0) == pid && status == 0;
}

// The server as a child process, which also ends when this one does: its standard input closes.
class Server {
 public:
  explicit Server(std::vector<std::string> options) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) return;
    keep_open_ = Fd(in[1]);
    const Fd child_in(in[0]);
    Fd child_out(out[1]);
    const Fd answers(out[0]);
    std::vector<std::string> words{"python3", TENKEN_SOURCE_DIR "/tests/e2e/mirror_server.py",
                                   "--data", test::data_path("")};
    words.insert(words.end(), options.begin(), options.end());
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, child_in.get(), 0);
    ::posix_spawn_file_actions_adddup2(&actions, child_out.get(), 1);
    if (::posix_spawnp(&pid_, "python3", &actions, nullptr, arguments.data(), environ) != 0)
      pid_ = 0;
    ::posix_spawn_file_actions_destroy(&actions);
    child_out = Fd();
    for (char c = 0; ::read(answers.get(), &c, 1) == 1 && c != '\n';) port_ += c;
  }
  ~Server() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  const std::string& port() const { return port_; }

 private:
  Fd keep_open_;
  pid_t pid_ = 0;
  std::string port_;
};

class FetchMirror : public testing::Test {
 protected:
  void SetUp() override {
    NEED_TEST_DATA("feeds/mirror-map.tsv");
    if (!run({"python3", "--version"}) || !run({"zstd", "--version"}))
      GTEST_SKIP() << "the mirror server needs python3 and zstd";
    ::setenv("no_proxy", "127.0.0.1", 1);
    ::unsetenv("NVD_API_KEY");
    server_.emplace(std::vector<std::string>{"--overlay", overlay_.path()});
    ASSERT_FALSE(server_->port().empty()) << "the mirror server does not start";
  }

  std::string base() const { return "http://127.0.0.1:" + server_->port(); }

  std::string ask(const std::string& path) const {
    auto client = http_client("test");
    if (!client) return client.error().what;
    TextBody body;
    const auto response = (*client)->get({.url = base() + path}, body);
    return response ? body.text : response.error().what;
  }
  // "path=…&mode=…" for the next answer.
  void misbehave(std::string_view path, std::string_view how) const {
    EXPECT_EQ(ask("/control?path=" + percent_encode(path) + "&" + std::string(how)), "");
  }

  FetchReport fetch(const feeds::Feed& feed) {
    slept_.clear();
    const Environment environment{.now = &tenken::now,
                                  .sleep = [this](std::uint32_t ms) { slept_.push_back(ms); },
                                  .random = [] { return 0.0; }};
    return fetch_feed(feed, options(), environment, nullptr);
  }
  FetchReport fetch(std::string_view id) { return fetch(*feeds::find_feed(id)); }

  FetchOptions options() const {
    return {.root = scratch_.path(),
            .mirror = mirror_.value_or(base()),
            .ecosystems = ecosystems_,
            .timeouts = {.connect_ms = 2000,
                         .low_speed_bytes_per_second = 1000,
                         .low_speed_seconds = low_speed_seconds_,
                         .total_seconds = 120},
            .retry = {.attempts = 3}};
  }

  std::string bytes_at(std::string_view path) const {
    return read_file(scratch_ / path, std::size_t{1} << 30).value_or("(none)");
  }

  static std::string published(std::string_view path) {
    return read_file(test::data_path(path), std::size_t{1} << 30).value_or("(no data)");
  }

  Scratch scratch_;
  Scratch overlay_;
  std::optional<Server> server_;
  std::optional<std::string> mirror_;
  std::vector<std::string> ecosystems_{"PyPI", "Red Hat"};
  std::uint32_t low_speed_seconds_ = 60;
  std::vector<std::uint32_t> slept_;
};

std::string explain(const FetchReport& report) {
  std::string text;
  for (const auto& failure : report.failures)
    text += failure.url + ": " + failure.error.what + "\n";
  return text;
}

// Documents of the tree that the feed's places name.
std::size_t placed(const feeds::Feed& feed, const std::string& root) {
  std::size_t count = 0;
  for (const auto& file : fs::recursive_directory_iterator(root)) {
    const auto path = fs::relative(file.path(), root).string();
    if (file.is_regular_file() && std::ranges::any_of(feed.places, [&](const auto& place) {
          return feeds::path_matches(place.file, path);
        }))
      ++count;
  }
  return count;
}

TEST_F(FetchMirror, FirstRunBringsEverythingAndTheSecondNothing) {
  struct Expected {
    std::string_view feed;
    std::size_t fetched;  // indexes among them
    std::size_t placed;
  };
  // OSV: ecosystems.txt and two archives, whose indexes are not counted. Alpine: the page of links.
  for (const auto& [id, fetched, in_place] :
       {Expected{"kev", 1, 1}, Expected{"epss", 1, 1}, Expected{"debian_lists", 3, 3},
        Expected{"debian_tracker", 1, 1}, Expected{"alpine_secdb", 19, 18}, Expected{"nvd", 4, 4},
        Expected{"osv", 3, 2}}) {
    const auto& feed = *feeds::find_feed(id);
    const auto first = fetch(feed);
    EXPECT_EQ(explain(first), "") << id;
    EXPECT_EQ(first.fetched, fetched) << id;
    EXPECT_GT(first.bytes, 0U) << id;
    EXPECT_EQ(placed(feed, scratch_.path()), in_place) << id;
    const auto second = fetch(feed);
    EXPECT_EQ(explain(second), "") << id;
    EXPECT_EQ(second.fetched, 0U) << id;
    EXPECT_EQ(second.unchanged, fetched) << id;
    EXPECT_EQ(second.bytes, 0U) << id;
  }
  EXPECT_TRUE(bytes_at("osv-vulnerabilities.storage.googleapis.com/Red Hat/all.zip") ==
              published("feeds/osv/Red Hat/all.zip"));
}

TEST_F(FetchMirror, TextTravelsCompressedAndArchivesDoNot) {
  fetch("kev");
  ecosystems_ = {"CRAN"};
  fetch("osv");
  const auto log = ask("/log");
  EXPECT_TRUE(log.contains(std::string(kev_path) + " - gzip")) << log;
  EXPECT_TRUE(log.contains("CRAN/all.zip - -")) << log;
  EXPECT_TRUE(bytes_at(kev_path).starts_with("{"));
}

TEST_F(FetchMirror, ServersThatRecoverAreWaitedFor) {
  fetch("kev");  // the server unpacks the data, which may take longer than it is waited for below
  low_speed_seconds_ = 1;
  for (const auto* how : {"mode=429&times=2&retry_after=7", "mode=503&times=2&retry_after=7",
                          "mode=500&times=2", "mode=502&times=2", "mode=reset", "mode=reset&at=0",
                          "mode=short", "mode=slow", "mode=silent&delay=3"}) {
    fs::remove_all(scratch_.path());
    misbehave(kev_path, how);
    const auto report = fetch("kev");
    EXPECT_EQ(explain(report), "") << how;
    EXPECT_EQ(report.fetched, 1U) << how;
    EXPECT_FALSE(slept_.empty()) << how;
    for (const auto ms : slept_)
      EXPECT_EQ(ms >= 7000, std::string_view(how).contains("retry_after")) << how;
  }
}

TEST_F(FetchMirror, ServersThatDoNotAreReportedAndTheOldCopyStays) {
  ASSERT_EQ(fetch("kev").fetched, 1U);
  const auto old = bytes_at(kev_path);
  struct Case {
    const char* how;
    Errc code;
    std::size_t attempts;
  };
  for (const auto& [how, code, attempts] :
       {Case{"mode=403&times=0", Errc::denied, 1}, Case{"mode=404&times=0", Errc::not_found, 1},
        Case{"mode=410&times=0", Errc::not_found, 1},
        Case{"mode=500&times=0", Errc::unavailable, 3},
        Case{"mode=reset&at=0&times=0", Errc::unavailable, 3},
        Case{"mode=redirect_loop&times=0", Errc::invalid, 1},
        Case{"mode=redirect&to=file:///etc/passwd", Errc::invalid, 1},
        Case{"mode=redirect&to=ftp://127.0.0.1/x", Errc::invalid, 1},
        Case{"mode=page", Errc::invalid, 1}, Case{"mode=partial", Errc::invalid, 1}}) {
    ask("/reset");
    fs::remove(scratch_.path() + "/.fetch/" + std::string(kev_path) + ".state");
    misbehave(kev_path, how);
    const auto report = fetch("kev");
    ASSERT_EQ(report.failed(), 1U) << how;
    EXPECT_EQ(report.failures[0].error.code, code) << how << ": " << explain(report);
    EXPECT_EQ(slept_.size() + 1, attempts) << how;
    EXPECT_TRUE(bytes_at(kev_path) == old) << how;
  }
}

TEST_F(FetchMirror, NotModifiedIsNoAnswerToAFirstRequest) {
  misbehave(kev_path, "mode=304&times=0");
  const auto report = fetch("kev");
  EXPECT_EQ(report.failed(), 1U);
  EXPECT_EQ(bytes_at(kev_path), "(none)");
}

TEST_F(FetchMirror, ShortBodyIsContinuedWhereItEnded) {
  ecosystems_ = {"PyPI"};
  const auto path = std::string(osv_host) + "PyPI/all.zip";
  misbehave(path, "mode=short&at=1000000");
  const auto report = fetch("osv");
  EXPECT_EQ(explain(report), "");
  const auto log = ask("/log");
  EXPECT_TRUE(log.contains("206 1431238 " + path + " bytes=1000000- -")) << log;
  EXPECT_TRUE(bytes_at(path) == published("feeds/osv/PyPI/all.zip"));
}

TEST_F(FetchMirror, CompressedTransferStartsAnewAndIsKnownTheNextTime) {
  misbehave(kev_path, "mode=short&at=5000");
  const auto report = fetch("kev");
  EXPECT_EQ(explain(report), "");
  EXPECT_FALSE(ask("/log").contains("bytes="));
  EXPECT_EQ(fetch("kev").bytes, 0U);
}

TEST_F(FetchMirror, InterruptedRunIsContinuedByTheNext) {
  ecosystems_ = {"PyPI"};
  const auto path = std::string(osv_host) + "PyPI/all.zip";
  misbehave(path, "mode=reset&at=2000000&times=1");
  misbehave(path, "mode=503&times=2");
  EXPECT_EQ(fetch("osv").failed(), 1U);
  EXPECT_EQ(bytes_at(path), "(none)");
  const auto report = fetch("osv");
  EXPECT_EQ(explain(report), "");
  EXPECT_LT(report.bytes, 1'000'000U);
  EXPECT_TRUE(bytes_at(path) == published("feeds/osv/PyPI/all.zip"));
}

TEST_F(FetchMirror, EndlessBodyEndsAtTheLimit) {
  constexpr std::uint64_t limit = 1'000'000;
  auto feed = *feeds::find_feed("kev");
  feed.fetching.limit_bytes = limit;
  misbehave(kev_path, "mode=huge&times=0");
  auto report = fetch(feed);
  ASSERT_EQ(report.failed(), 1U);
  EXPECT_EQ(report.failures[0].error.code, Errc::limit);
  EXPECT_LE(report.bytes, limit);
  EXPECT_FALSE(fs::exists(scratch_ / ".fetch/" + std::string(kev_path) + ".part"));
  // The announced length is smaller than the limit, the decoded bytes are more.
  ask("/reset");
  report = fetch(feed);
  ASSERT_EQ(report.failed(), 1U);
  EXPECT_EQ(report.failures[0].error.code, Errc::limit);
}

TEST_F(FetchMirror, MissingEcosystemIsAWarningAndHidesNoOther) {
  misbehave(std::string(osv_host) + "Red Hat/all.zip", "mode=404&times=0");
  const auto report = fetch("osv");
  EXPECT_EQ(report.failed(), 0U);
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_TRUE(report.failures[0].warning);
  EXPECT_TRUE(fs::exists(scratch_ / std::string(osv_host) + "PyPI/all.zip"));
  ecosystems_ = {"PyPI", "Cobol"};
  EXPECT_EQ(fetch("osv").failed(), 1U) << "an ecosystem that was asked for and does not exist";
}

TEST_F(FetchMirror, IndexThatFailsStillLeadsOnByItsOldCopy) {
  ecosystems_ = {"CRAN"};
  ASSERT_EQ(fetch("osv").failed(), 0U);
  misbehave(std::string(osv_host) + "ecosystems.txt", "mode=403&times=0");
  const auto report = fetch("osv");
  EXPECT_EQ(report.failed(), 1U);
  EXPECT_EQ(report.unchanged, 1U);
}

TEST_F(FetchMirror, RateLimitOfNvdIsWaitedFor) {
  misbehave("services.nvd.nist.gov/rest/json/cves/2.0?startIndex=2000&resultsPerPage=2000",
            "mode=403&times=1");
  const auto report = fetch("nvd");
  EXPECT_EQ(explain(report), "");
  EXPECT_EQ(report.fetched, 4U);
}

class FetchDelta : public FetchMirror {
 protected:
  void SetUp() override {
    FetchMirror::SetUp();
    if (IsSkipped()) return;
    ecosystems_ = {"PyPI"};
    ASSERT_EQ(fetch("osv").failed(), 0U);
    index_ = bytes_at(directory_ + "modified_id.csv");
    ask("/log");
  }
  void publish(std::string_view name, std::string_view bytes) {
    overlay_.write(directory_ + std::string(name), bytes);
  }

  const std::string directory_ = std::string(osv_host) + "PyPI/";
  std::string index_;
};

TEST_F(FetchDelta, FewChangedRecordsComeOneByOne) {
  publish("modified_id.csv", "2026-08-22T01:02:03Z,PYSEC-9999-1\n" + index_);
  publish("PYSEC-9999-1.json", R"({"id":"PYSEC-9999-1"})");
  const auto report = fetch("osv");
  EXPECT_EQ(explain(report), "");
  EXPECT_EQ(report.fetched, 1U);
  EXPECT_EQ(bytes_at(directory_ + "PYSEC-9999-1.json"), R"({"id":"PYSEC-9999-1"})");
  EXPECT_FALSE(ask("/log").contains("all.zip"));
  const auto& places = feeds::find_feed("osv")->places;
  EXPECT_TRUE(std::ranges::any_of(places, [&](const auto& place) {
    return feeds::path_matches(place.file, directory_ + "PYSEC-9999-1.json");
  }));
  const auto again = fetch("osv");
  EXPECT_EQ(again.bytes, 0U);
  EXPECT_EQ(again.fetched, 0U);
}

TEST_F(FetchDelta, RecordThatCannotBeFetchedLeadsToTheWholeArchive) {
  publish("modified_id.csv", "2026-08-22T01:02:03Z,PYSEC-9999-1\n" + index_);
  auto report = fetch("osv");
  EXPECT_EQ(explain(report), "");
  EXPECT_TRUE(ask("/log").contains("304 0 " + directory_ + "all.zip"));
  // Upstream's archive is not new yet: the old index stays, and the record is asked for again.
  EXPECT_TRUE(bytes_at(directory_ + "modified_id.csv") == index_);
  publish("PYSEC-9999-1.json", "{}");
  EXPECT_EQ(fetch("osv").fetched, 1U);
}

TEST_F(FetchDelta, RemovedRecordLeadsToTheWholeArchiveAndOldRecordsGo) {
  publish("modified_id.csv", "2026-08-22T01:02:03Z,PYSEC-9999-1\n" + index_);
  publish("PYSEC-9999-1.json", "{}");
  ASSERT_EQ(fetch("osv").fetched, 1U);
  publish("modified_id.csv", index_.substr(index_.find('\n') + 1));
  publish("all.zip", "PK new archive");
  const auto report = fetch("osv");
  EXPECT_EQ(explain(report), "");
  EXPECT_EQ(bytes_at(directory_ + "all.zip"), "PK new archive");
  EXPECT_EQ(bytes_at(directory_ + "PYSEC-9999-1.json"), "(none)");
}

TEST_F(FetchDelta, ManyChangedRecordsLeadToTheWholeArchive) {
  std::string index;
  for (int i = 0; i < 501; ++i)
    index += "2026-08-22T00:00:00Z,PYSEC-9999-" + std::to_string(i) + "\n";
  publish("modified_id.csv", index + index_);
  publish("all.zip", "PK new archive");
  const auto report = fetch("osv");
  EXPECT_EQ(explain(report), "");
  EXPECT_EQ(report.fetched, 1U);
  EXPECT_EQ(fetch("osv").bytes, 0U);
}

TEST_F(FetchDelta, ArchiveOlderThanItsIndexIsComparedAgain) {
  publish("modified_id.csv", "2999-01-01T00:00:00Z,PYSEC-9999-1\n" + index_);
  publish("all.zip", "PK new archive");
  EXPECT_EQ(explain(fetch("osv")), "");
  EXPECT_TRUE(bytes_at(directory_ + "modified_id.csv") == index_);
}

constexpr std::string_view plain_url[] = {"http://secdb.alpinelinux.org/v3.10/main.json"};
constexpr feeds::Feed over_plain_http{.id = "plain", .fetching = {.start = plain_url}};

TEST_F(FetchMirror, ProxyOfTheEnvironmentIsUsed) {
  ::setenv("http_proxy", base().c_str(), 1);
  ::unsetenv("no_proxy");
  mirror_ = "";
  const auto report = fetch(over_plain_http);
  ::unsetenv("http_proxy");
  EXPECT_EQ(explain(report), "");
  EXPECT_EQ(report.fetched, 1U);
}

TEST_F(FetchMirror, NoServerAtAllIsReported) {
  mirror_ = "http://127.0.0.1:1";
  const auto report = fetch("debian_lists");
  EXPECT_EQ(report.failed(), 3U);
  for (const auto& failure : report.failures) EXPECT_EQ(failure.error.code, Errc::unavailable);
}

TEST_F(FetchMirror, CertificatesAreVerifiedAndHttpsIsNeverLeft) {
  const auto certificate = overlay_ / "server.pem";
  if (!run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1", "-addext",
            "subjectAltName=IP:127.0.0.1", "-keyout", certificate, "-out", certificate + ".crt"}))
    GTEST_SKIP() << "the test needs openssl";
  const auto public_part = read_file(certificate + ".crt", 1 << 16).value_or("");
  overlay_.write("both.pem", read_file(certificate, 1 << 16).value_or("") + public_part);
  const auto plain = base();
  server_.reset();
  server_.emplace(std::vector<std::string>{"--certificate", overlay_ / "both.pem"});
  mirror_ = "https://127.0.0.1:" + server_->port();

  auto report = fetch("kev");
  ASSERT_EQ(report.failed(), 1U);
  EXPECT_EQ(report.failures[0].error.code, Errc::denied) << explain(report);
  ::setenv("SSL_CERT_FILE", (certificate + ".crt").c_str(), 1);
  EXPECT_EQ(explain(fetch("kev")), "");

  TextBody body;
  auto client = http_client("test");
  ASSERT_TRUE(client);
  ASSERT_TRUE(
      (*client)->get({.url = *mirror_ + "/control?path=*&mode=redirect&to=" + plain}, body));
  report = fetch("debian_tracker");
  ::unsetenv("SSL_CERT_FILE");
  ASSERT_EQ(report.failed(), 1U);
  EXPECT_EQ(report.failures[0].error.code, Errc::invalid) << explain(report);
}

}  // namespace
}  // namespace tenken::fetch
