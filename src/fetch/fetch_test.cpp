#include <filesystem>

#include <gtest/gtest.h>

#include "fetch/delta.h"
#include "fetch/directory.h"
#include "fetch/fetch_feed.h"
#include "fetch/mirror.h"
#include "fetch/retry.h"
#include "fetch/url.h"
#include "support/scratch.h"

namespace tenken::fetch {
namespace {

namespace fs = std::filesystem;
using test::Scratch;

constexpr Seconds noon = 1'700'000'000;

std::string read(const std::string& path) {
  return read_file(path, 1 << 24).value_or("(none)");
}

std::string path_of(std::string_view url) {
  const auto parts = parse_url(url);
  if (!parts) return "invalid URL";
  return mirror_path(*parts).value_or("invalid path");
}

// Answers from a list, one after another, and remembers what was asked.
class Script final : public Transport {
 public:
  struct Answer {
    Response response;
    std::string body = {};
    std::optional<Error> error = {};  // after the body
  };
  Result<Response> get(const Request& request, Body& body) override {
    requests.push_back(request);
    if (next_ == answers.size()) return unavailable("the script is at its end");
    auto& answer = answers[next_++];
    if (answer.response.status == 200 || answer.response.status == 206) {
      TRY_VOID(body.begin(answer.response));
      TRY_VOID(body.write(answer.body));
    }
    if (answer.error) return *answer.error;
    return answer.response;
  }
  std::vector<Answer> answers;
  std::vector<Request> requests;

 private:
  std::size_t next_ = 0;
};

// Time stands still, and sleeping is only written down.
struct FrozenWorld {
  std::vector<std::uint32_t> slept;
  Environment environment{.now = [] { return noon; },
                          .sleep = [this](std::uint32_t ms) { slept.push_back(ms); },
                          .random = [] { return 0.0; }};
};

constexpr std::string_view one_url[] = {"https://feed.example/data.json"};
constexpr feeds::Feed one_document{.id = "one", .fetching = {.start = one_url}};

TEST(Retry, StatusesThatMayPassAreTriedAgain) {
  const RetryPolicy policy;
  for (const int status : {408, 425, 429, 500, 502, 503, 504})
    EXPECT_TRUE(retry_wait_ms(policy, 1, {.status = status}, noon, 0)) << status;
  for (const int status : {301, 400, 401, 403, 404, 410, 416, 501})
    EXPECT_FALSE(retry_wait_ms(policy, 1, {.status = status}, noon, 0)) << status;
}

TEST(Retry, ErrorsOfTheNetworkAreTriedAgainAndOursAreNot) {
  const RetryPolicy policy;
  EXPECT_TRUE(retry_wait_ms(policy, 1, {.error = Errc::unavailable}, noon, 0));
  for (const auto code : {Errc::denied, Errc::invalid, Errc::limit, Errc::internal})
    EXPECT_FALSE(retry_wait_ms(policy, 1, {.error = code}, noon, 0)) << name(code);
}

TEST(Retry, ForbiddenIsARateLimitOnlyWhereUpstreamSaysSo) {
  EXPECT_TRUE(retry_wait_ms({.forbidden_is_rate_limit = true}, 1, {.status = 403}, noon, 0));
  EXPECT_TRUE(retry_wait_ms({}, 1, {.status = 403, .retry_after = "1"}, noon, 0));
}

TEST(Retry, WaitDoublesUpToItsCapAndHalfOfItIsDrawn) {
  const RetryPolicy policy{.attempts = 99, .first_wait_ms = 1000, .longest_wait_ms = 5000};
  const Failure failure{.status = 503};
  EXPECT_EQ(retry_wait_ms(policy, 1, failure, noon, 0), 500U);
  EXPECT_EQ(retry_wait_ms(policy, 2, failure, noon, 0), 1000U);
  EXPECT_EQ(retry_wait_ms(policy, 3, failure, noon, 0.5), 3000U);
  EXPECT_EQ(retry_wait_ms(policy, 4, failure, noon, 0), 2500U);
  EXPECT_EQ(retry_wait_ms(policy, 98, failure, noon, 0), 2500U);
  EXPECT_EQ(retry_wait_ms(policy, 99, failure, noon, 0), std::nullopt);
}

TEST(Retry, RetryAfterIsKeptAndALongOneEndsTheAttempts) {
  const RetryPolicy policy{.longest_retry_after_s = 60};
  EXPECT_EQ(retry_wait_ms(policy, 1, {.status = 429, .retry_after = "7"}, noon, 0), 7000U);
  EXPECT_EQ(retry_wait_ms(policy, 1, {.status = 429, .retry_after = "61"}, noon, 0), std::nullopt);
  EXPECT_EQ(
      retry_wait_ms(policy, 1, {.status = 429, .retry_after = "99999999999999999999"}, noon, 0),
      500U);
  EXPECT_EQ(retry_wait_ms(policy, 1, {.status = 429, .retry_after = "soon"}, noon, 0), 500U);
}

TEST(Retry, RetryAfterMayBeADate) {
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", 784'111'700), 77U);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", noon), 0U);
  EXPECT_EQ(parse_retry_after("-5", noon), std::nullopt);
}

TEST(Retry, HttpDatesReadAndWrite) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784'111'777);
  for (const Seconds time : {0L, 784'111'777L, 951'782'400L, noon})
    EXPECT_EQ(parse_http_date(format_http_date(time)), time);
  EXPECT_EQ(format_http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  for (const auto* text : {"", "Sun, 06 Nov 1994", "Sun, 06 Foo 1994 08:49:37 GMT",
                           "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 JST"})
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
}

TEST(Url, MapsToHostAndDecodedPath) {
  EXPECT_EQ(path_of("https://B.example/Red%20Hat/all.zip"), "b.example/Red Hat/all.zip");
  EXPECT_EQ(path_of("https://b.example/A/ALSA-2025:9318.json"), "b.example/A/ALSA-2025:9318.json");
  EXPECT_EQ(path_of("https://b.example/a/"), "b.example/a/index.html");
  EXPECT_EQ(path_of("https://b.example"), "b.example/index.html");
  EXPECT_EQ(path_of("https://services.nvd.nist.gov/rest/json/cves/2.0?startIndex=0&n=2000"),
            "services.nvd.nist.gov/rest/json/cves/2.0@startIndex=0&n=2000");
  EXPECT_EQ(path_of("http://127.0.0.1:80/.well-known/x?a/../b"),
            "127.0.0.1:80/.well-known/x@a_.._b");
}

TEST(Url, NothingLeavesTheMirror) {
  for (const auto* url :
       {"https://h/../etc/passwd", "https://h/%2e%2e/x", "https://h/a%2Fb", "https://h/a%5cb",
        "https://h/a//b", "https://h/%00", "https://../x", "https://.fetch/x", "https://h/a%0Ab"})
    EXPECT_EQ(path_of(url), "invalid path") << url;
  EXPECT_EQ(path_of("https://h/" + std::string(201, 'a')), "invalid path");
}

TEST(Url, RefusesOtherSchemesAndForms) {
  for (const auto* url : {"", "h/x", "ftp://h/x", "file:///etc/passwd", "https:///x",
                          "https://user:pw@h/x", "https://h/a b", "https://h/x#y", "HTTPS://h/x"})
    EXPECT_EQ(path_of(url), "invalid URL") << url;
}

TEST(Url, SiblingsReplaceTheLastSegment) {
  EXPECT_EQ(sibling_url("https://h/Red%20Hat/all.zip?x", "modified_id.csv"),
            "https://h/Red%20Hat/modified_id.csv");
  EXPECT_EQ(percent_encode("a b/é:"), "a%20b%2F%C3%A9:");
  EXPECT_EQ(percent_decode("a%20b%zz%4"), "a b%zz%4");
}

TEST(Delta, TellsNewChangedAndGoneRecords) {
  const auto delta = compare_indexes(
      "2026-01-02T00:00:00Z,B\n2026-01-01T00:00:00Z,A\n2025-01-01T00:00:00Z,GONE\n",
      "2026-01-05T00:00:00.5Z,C\n2026-01-04T00:00:00Z,A\r\n2026-01-02T00:00:00Z,B\n");
  EXPECT_EQ(delta.changed, (std::vector<std::string_view>{"A", "C"}));
  EXPECT_EQ(delta.removed, 1U);
  EXPECT_EQ(delta.unreadable, 0U);
  EXPECT_EQ(delta.newest, parse_time("2026-01-05T00:00:00Z"));
}

TEST(Delta, CountsLinesThatItCannotRead) {
  const auto delta = compare_indexes("", "2026-01-02T00:00:00Z\nnever,A\n0001-01-01T00:00:00Z,B\n");
  EXPECT_EQ(delta.unreadable, 2U);
  EXPECT_EQ(delta.changed, std::vector<std::string_view>{"B"});
}

TEST(Mirror, StateReadsBackAsWritten) {
  const State state{.url = "https://h/x",
                    .etag = "W/\"a\\b\"",
                    .last_modified = "Sun, 06 Nov 1994 08:49:37 GMT",
                    .fetched_at = noon,
                    .checked_at = noon + 5,
                    .size = 12};
  const auto back = read_state(write_state(state));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(write_state(*back), write_state(state));
  for (const auto* bad :
       {"", "{}", "[]", R"({"url":"u","fetched_at":"x","checked_at":"y","size":1})"})
    EXPECT_FALSE(read_state(bad)) << bad;
}

TEST(Mirror, StateOfAnotherSizeIsVoid) {
  const Scratch scratch;
  const Mirror mirror(scratch.path());
  const auto entry = mirror.entry("https://h/a/x.json");
  ASSERT_TRUE(entry);
  scratch.write("h/a/x.json", "12345");
  scratch.write(".fetch/h/a/x.json.state",
                write_state({.url = "https://h/a/x.json", .etag = "\"e\"", .size = 5}));
  EXPECT_TRUE(mirror.state_of(*entry));
  scratch.write("h/a/x.json", "1234");
  EXPECT_FALSE(mirror.state_of(*entry));
}

TEST(Mirror, OneFeedIsFetchedByOneProcessAtATime) {
  const Scratch scratch;
  const Mirror mirror(scratch.path());
  const auto first = mirror.lock("osv");
  ASSERT_TRUE(first);
  EXPECT_EQ(mirror.lock("osv").error().code, Errc::conflict);
  EXPECT_TRUE(mirror.lock("kev"));
}

TEST(FetchFeed, BrokenTransferContinuesWhereItEnded) {
  const Scratch scratch;
  FrozenWorld world;
  Script script;
  script.answers = {{.response = {.status = 200, .etag = "\"v1\"", .length = 10},
                     .body = "0123",
                     .error = unavailable("reset")},
                    {.response = {.status = 206, .length = 10}, .body = "456789"}};
  const auto report =
      fetch_feed(one_document, {.root = scratch.path()}, world.environment, nullptr, script);
  EXPECT_EQ(report.failed(), 0U);
  EXPECT_EQ(report.fetched, 1U);
  EXPECT_EQ(report.bytes, 10U);
  EXPECT_EQ(script.requests[1].resume_from, 4U);
  EXPECT_EQ(script.requests[1].if_range, "\"v1\"");
  EXPECT_EQ(world.slept, std::vector<std::uint32_t>{500});
  EXPECT_EQ(read(scratch / "feed.example/data.json"), "0123456789");
}

TEST(FetchFeed, ChangedDocumentStartsAnew) {
  const Scratch scratch;
  FrozenWorld world;
  Script script;
  script.answers = {{.response = {.status = 200, .etag = "\"v1\"", .length = 10},
                     .body = "0123",
                     .error = unavailable("reset")},
                    {.response = {.status = 200, .etag = "\"v2\"", .length = 3}, .body = "abc"}};
  fetch_feed(one_document, {.root = scratch.path()}, world.environment, nullptr, script);
  EXPECT_EQ(read(scratch / "feed.example/data.json"), "abc");
}

TEST(FetchFeed, WeakValidatorsContinueNothing) {
  const Scratch scratch;
  FrozenWorld world;
  Script script;
  script.answers = {
      {.response = {.status = 200, .etag = "W/\"v1\"", .last_modified = format_http_date(noon - 1)},
       .body = "0123",
       .error = unavailable("reset")},
      {.response = {.status = 200}, .body = "abcd"}};
  fetch_feed(one_document, {.root = scratch.path()}, world.environment, nullptr, script);
  EXPECT_EQ(script.requests[1].resume_from, 0U);
  EXPECT_EQ(read(scratch / "feed.example/data.json"), "abcd");
}

TEST(FetchFeed, WebPageInPlaceOfDataIsRefusedAndTheOldCopyStays) {
  const Scratch scratch;
  FrozenWorld world;
  Script script;
  script.answers = {{.response = {.status = 200}, .body = "{}"},
                    {.response = {.status = 200}, .body = "\n<!DOCTYPE HTML><html>log in"}};
  const FetchOptions options{.root = scratch.path()};
  fetch_feed(one_document, options, world.environment, nullptr, script);
  const auto report = fetch_feed(one_document, options, world.environment, nullptr, script);
  EXPECT_EQ(report.failed(), 1U);
  EXPECT_EQ(read(scratch / "feed.example/data.json"), "{}");
}

TEST(FetchFeed, SameBytesSentAgainAreUnchanged) {
  const Scratch scratch;
  FrozenWorld world;
  Script script;
  script.answers = {{.response = {.status = 200}, .body = "{}"},
                    {.response = {.status = 200}, .body = "{}"}};
  const FetchOptions options{.root = scratch.path()};
  fetch_feed(one_document, options, world.environment, nullptr, script);
  const auto report = fetch_feed(one_document, options, world.environment, nullptr, script);
  EXPECT_EQ(report.fetched, 0U);
  EXPECT_EQ(report.unchanged, 1U);
}

TEST(FetchFeed, LongRetryAfterIsReportedAndNotWaitedFor) {
  const Scratch scratch;
  FrozenWorld world;
  Script script;
  script.answers = {{.response = {.status = 429, .retry_after = "86400"}}};
  const auto report =
      fetch_feed(one_document, {.root = scratch.path()}, world.environment, nullptr, script);
  ASSERT_EQ(report.failed(), 1U);
  EXPECT_EQ(report.failures[0].error.code, Errc::unavailable);
  EXPECT_TRUE(report.failures[0].error.what.contains("86400"));
  EXPECT_TRUE(world.slept.empty());
}

constexpr std::string_view index_url[] = {"https://feed.example/index"};
std::vector<std::string> name_neighbours(std::string_view url, std::string_view) {
  if (!url.ends_with("/index")) return {};
  return {"https://feed.example/gone.json", "http://169.254.169.254/latest/meta-data",
          "http://feed.example/plain.json", "https://feed.example/../x", "https://feed.example/ok"};
}
constexpr feeds::Feed with_index{.id = "indexed",
                                 .fetching = {.start = index_url, .next = name_neighbours}};

TEST(FetchFeed, DocumentsLeadToTheirOwnHostAlone) {
  const Scratch scratch;
  FrozenWorld world;
  Script script;
  script.answers = {{.response = {.status = 200}, .body = "x"},
                    {.response = {.status = 404}},
                    {.response = {.status = 200}, .body = "y"}};
  const auto report =
      fetch_feed(with_index, {.root = scratch.path()}, world.environment, nullptr, script);
  EXPECT_EQ(script.requests.size(), 3U);
  EXPECT_EQ(report.fetched, 2U);
  ASSERT_EQ(report.failures.size(), 4U);
  EXPECT_EQ(report.failed(), 3U) << "what an index names and is not there is a warning";
}

constexpr std::string_view many_urls[] = {"https://f.example/1", "https://f.example/2",
                                          "https://f.example/3", "https://f.example/4",
                                          "https://f.example/5"};
constexpr feeds::Feed many_documents{.id = "many", .fetching = {.start = many_urls}};

TEST(FetchFeed, DeadUpstreamIsNotAskedForEveryDocument) {
  const Scratch scratch;
  FrozenWorld world;
  Script script;  // every answer is unavailable
  const FetchOptions options{.root = scratch.path(), .retry = {.attempts = 2}};
  const auto report = fetch_feed(many_documents, options, world.environment, nullptr, script);
  EXPECT_EQ(report.failed(), 5U);
  EXPECT_EQ(script.requests.size(), 6U);
}

constexpr std::string_view nvd_urls[] = {"https://services.nvd.nist.gov/rest/json/cves/2.0?a=0",
                                         "https://services.nvd.nist.gov/rest/json/cves/2.0?a=1"};
constexpr feeds::Feed nvd_like{.id = "nvd", .fetching = {.start = nvd_urls, .pause_ms = 6000}};

TEST(FetchFeed, ApiKeyGoesToItsHostAloneAndShortensThePause) {
  const Scratch scratch;
  FrozenWorld world;
  ::setenv("NVD_API_KEY", "secret", 1);
  Script upstream;
  const auto report = fetch_feed(nvd_like, {.root = scratch.path(), .retry = {.attempts = 1}},
                                 world.environment, nullptr, upstream);
  EXPECT_EQ(upstream.requests[0].headers, std::vector<std::string>{"apiKey: secret"});
  EXPECT_EQ(world.slept, std::vector<std::uint32_t>{600});
  for (const auto& failure : report.failures) EXPECT_FALSE(failure.error.what.contains("secret"));
  Script ours;
  fetch_feed(nvd_like,
             {.root = scratch.path(), .mirror = "http://m.example/", .retry = {.attempts = 1}},
             world.environment, nullptr, ours);
  EXPECT_TRUE(ours.requests[0].headers.empty());
  EXPECT_EQ(ours.requests[0].url, "http://m.example/services.nvd.nist.gov/rest/json/cves/2.0?a=0");
  ::unsetenv("NVD_API_KEY");
}

TEST(FetchFeed, PlainDirectoryServesAsMirror) {
  const Scratch carried;
  const Scratch scratch;
  FrozenWorld world;
  carried.write("feed.example/data.json", "[1]");
  const FetchOptions options{.root = scratch.path(), .mirror = carried.path()};
  EXPECT_EQ(fetch_feed(one_document, options, world.environment, nullptr).fetched, 1U);
  EXPECT_EQ(read(scratch / "feed.example/data.json"), "[1]");
  const auto again = fetch_feed(one_document, options, world.environment, nullptr);
  EXPECT_EQ(again.unchanged, 1U);
  EXPECT_EQ(again.bytes, 0U);
  fs::remove(carried / "feed.example/data.json");
  const auto gone = fetch_feed(one_document, options, world.environment, nullptr);
  EXPECT_EQ(gone.failed(), 1U);
  EXPECT_EQ(read(scratch / "feed.example/data.json"), "[1]");
}

TEST(FetchFeed, AMirrorThatIsNotThereIsNamedOnceWithTheFeed) {
  const Scratch scratch;
  FrozenWorld world;
  const FetchOptions options{.root = scratch.path(), .mirror = scratch / "none"};
  const auto report = fetch_feed(one_document, options, world.environment, nullptr);
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures.front().url, one_document.id);
  EXPECT_EQ(report.failures.front().error.what, (scratch / "none") + ": No such file or directory");
}

TEST(FetchFeed, MirrorOverridesNameAFeedAndABase) {
  const auto mirror = parse_mirror_override("osv=http://127.0.0.1:8000/a=b");
  ASSERT_TRUE(mirror);
  EXPECT_EQ(mirror->feed, "osv");
  EXPECT_EQ(mirror->base, "http://127.0.0.1:8000/a=b");
  for (const auto* bad : {"", "osv", "osv=", "=x", "nosuchfeed=http://h/"})
    EXPECT_FALSE(parse_mirror_override(bad)) << bad;
}

}  // namespace
}  // namespace tenken::fetch
