// The signatures are those of botocore 1.43.11 for the same requests; tests/sigv4 compares live.
#include "aws/sigv4.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace tenken::aws {
namespace {

constexpr Seconds signed_at = 1'729'516'502;  // 2024-10-21T13:15:02Z
constexpr std::string_view host = "127.0.0.1:8443";

Credentials credentials(std::string token = {}) {
  return {.access_key_id = "TKIAABCDEFGHIJKLMNOP",
          .secret = crypto::Secret(std::string_view("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")),
          .session_token = std::move(token)};
}

const std::vector<Header> go_headers = {
    {"Amz-Sdk-Invocation-Id", "0b7e1a1c-9a2f-4f57-9d64-3f5b7d6f5a11"},
    {"Amz-Sdk-Request", "attempt=1; max=3"},
    {"Content-Length", "2"},
    {"Content-Type", "application/json"}};

// A request with everything that is sent.
struct Sent {
  std::string method = "POST";
  std::string target = "/findings/list";
  std::vector<Header> headers;
  std::string body;

  RequestHead head() const { return {.method = method, .target = target, .headers = headers}; }
  void replace(std::string_view name, std::string value) {
    for (auto& header : headers)
      if (ascii_lower(header.first) == name) header.second = value;
  }
  void remove(std::string_view name) {
    std::erase_if(headers, [&](const Header& header) { return ascii_lower(header.first) == name; });
  }
};

Sent signed_request(Sent sent, std::string_view service = "inspector2",
                    const Credentials& by = credentials()) {
  sent.headers.emplace_back("Host", host);
  for (auto& header :
       sign(sent.head(), payload_hash(sent.body), by, "us-east-1", service, signed_at))
    sent.headers.push_back(std::move(header));
  return sent;
}

Sent go_request() {
  return signed_request({.headers = go_headers, .body = "{}"});
}

std::string refusal_of(const Sent& sent, Seconds now = signed_at, Policy policy = {},
                       const crypto::Secret& secret = credentials().secret) {
  constexpr std::string_view services[] = {"inspector2", "sts"};
  if (policy.services.empty()) policy.services = services;
  SigningKeys keys;
  const auto claim = read_claim(sent.head());
  if (!claim)
    return std::string(error_code(claim.error().fault, Protocol::json)) + ": " +
           claim.error().message;
  const auto verified = verify(*claim, sent.head(), sent.body, secret, policy, keys, now);
  if (verified) return "";
  return std::string(error_code(verified.error().fault, Protocol::json)) + ": " +
         verified.error().message;
}

constexpr std::string_view mismatch =
    "InvalidSignatureException: The request signature we calculated does not match";

TEST(Sign, GivesTheSignaturesOfBotocore) {
  struct Case {
    std::string method, target, service;
    std::vector<Header> headers;
    std::string body, token, signature;
  };
  const Case cases[] = {
      {"POST",
       "/filters/list",
       "inspector2",
       {},
       "",
       "",
       "ed32862749505967682a203bc2140035c7da85ea822587a655e84c7a7868a116"},
      {"GET",
       "/tags/arn%3Aaws%3Ainspector2%3Aus-east-1%3A1%3Aowner%2F1%2Ffilter%2Fx",
       "inspector2",
       {},
       "",
       "",
       "54c62fa98de7f15583168a3f7ca492e7b3b082b2a1855ee8f8fd1e3cec425847"},
      {"DELETE",
       "/tags/x?tagKeys=b&tagKeys=a&tagKeys=B",
       "inspector2",
       {},
       "",
       "",
       "9bad50c57f68c020f92d43d715e7d02443b2ccd1ea5627b70e51de68ff5b5c61"},
      {"POST", "/findings/list", "inspector2", go_headers, "{}", "",
       "6991da1810b216b4cf7931c113c20384a92bd0bc51544c903a13565281ae4ca8"},
      {"POST",
       "/%E7%82%B9%E6%A4%9C/%20%2B~?q=%E7%82%B9%20%2B",
       "inspector2",
       {{"X-Note", "  a   b "}},
       "{\"a\":\"\u70b9\u691c\"}",
       "token/+=",
       "fd774f25f0aefd805775dbdf3deaacaf0f0284bc2caf70cd2c0c639672e6bf4f"},
      {"PUT",
       "/bucket/k%3D%28%29%21?uploads&x-id=P",
       "s3",
       {},
       "text",
       "",
       "134cb9edf30ad09396ea3d97ac3766ab0762fbd4bf493c8038dd300ff216ceca"},
  };
  for (const auto& c : cases) {
    const auto sent =
        signed_request({c.method, c.target, c.headers, c.body}, c.service, credentials(c.token));
    EXPECT_TRUE(sent.head().header("authorization")->ends_with("Signature=" + c.signature))
        << c.target << "\n"
        << *sent.head().header("authorization");
    const std::string_view services[] = {c.service};
    EXPECT_EQ(refusal_of(sent, signed_at, {.services = services}), "") << c.target;
  }
}

TEST(Sign, LeavesOutHeadersThatChangeOnTheWay) {
  const auto sent = signed_request({.headers = {{"User-Agent", "x"}, {"Expect", "100-continue"}}});
  EXPECT_NE(sent.head().header("authorization")->find("SignedHeaders=host;x-amz-date,"),
            std::string::npos);
}

TEST(ReadClaim, TellsWhoSaysToHaveSigned) {
  const auto sent = signed_request({}, "inspector2", credentials("token"));
  const auto claim = read_claim(sent.head()).value();
  EXPECT_EQ(claim.access_key_id, "TKIAABCDEFGHIJKLMNOP");
  EXPECT_EQ(claim.date, "20241021");
  EXPECT_EQ(claim.region, "us-east-1");
  EXPECT_EQ(claim.service, "inspector2");
  EXPECT_EQ(claim.signed_headers, "host;x-amz-date;x-amz-security-token");
  EXPECT_EQ(claim.session_token, "token");
  EXPECT_EQ(claim.time, signed_at);
  EXPECT_FALSE(claim.lifetime_s);
}

TEST(ReadClaim, WithoutASignatureIsMissingAuthentication) {
  EXPECT_TRUE(refusal_of({}).starts_with("MissingAuthenticationTokenException"));
  EXPECT_TRUE(refusal_of({.headers = {{"Authorization", "Basic QTpC"}}})
                  .starts_with("MissingAuthenticationTokenException"));
}

TEST(ReadClaim, RefusesEveryAuthorizationThatCannotBeRead) {
  const std::string scope = "Credential=AKID/20241021/us-east-1/inspector2/aws4_request";
  const std::string names = "SignedHeaders=host;x-amz-date";
  const std::string signature = "Signature=" + std::string(64, 'a');
  const auto with = [&](const std::string& parts) { return "AWS4-HMAC-SHA256 " + parts; };
  const std::string whole = scope + ", " + names + ", " + signature;
  Sent sent{.headers = {{"X-Amz-Date", "20241021T131502Z"}, {"Authorization", with(whole)}}};
  ASSERT_TRUE(read_claim(sent.head()));
  const std::string bad[] = {
      "AWS4-HMAC-SHA256",
      "AWS4-HMAC-SHA256X " + whole,
      "AWS4-ECDSA-P256-SHA256 " + whole,
      with(""),
      with(scope),
      with(scope + "," + names),
      with(whole + ","),
      with(whole + ", A=b"),
      with(whole + ", " + signature),
      with(scope + ", " + names + ", Signature=" + std::string(63, 'a')),
      with(scope + ", " + names + ", Signature=" + std::string(64, 'A')),
      with(scope + ", SignedHeaders=, " + signature),
      with(scope + ", SignedHeaders=Host, " + signature),
      with(scope + ", SignedHeaders=x;host, " + signature),
      with(scope + ", SignedHeaders=host;host, " + signature),
      with(scope + ", SignedHeaders=host;, " + signature),
      with("Credential=AKID/20241021/us-east-1/inspector2, " + names + ", " + signature),
      with("Credential=AKID/20241021/us-east-1/inspector2/aws4, " + names + ", " + signature),
      with("Credential=/20241021/us-east-1/inspector2/aws4_request, " + names + ", " + signature),
      with("Credential=A'D/20241021/us-east-1/inspector2/aws4_request, " + names + ", " +
           signature),
      with("Credential=AKID/2024102/us-east-1/inspector2/aws4_request, " + names + ", " +
           signature),
      with("Credential=AKID/20241021//inspector2/aws4_request, " + names + ", " + signature),
      with(scope + ", " + names + ", " + signature + std::string(5000, ' ') + "x")};
  for (const auto& text : bad) {
    sent.replace("authorization", text);
    EXPECT_TRUE(refusal_of(sent).starts_with("IncompleteSignatureException")) << text;
  }
}

TEST(ReadClaim, RefusesASecondAuthorization) {
  auto sent = go_request();
  sent.headers.emplace_back("authorization", "Bearer x");
  EXPECT_EQ(refusal_of(sent),
            "IncompleteSignatureException: Only one Authorization header is allowed.");
}

TEST(ReadClaim, NamesEachMissingParameterAsAwsDoes) {
  const Sent sent{.headers = {{"Authorization", "AWS4-HMAC-SHA256 Signature=x"}}};
  EXPECT_EQ(refusal_of(sent),
            "IncompleteSignatureException: Authorization header requires 'Credential' parameter. "
            "Authorization header requires 'SignedHeaders' parameter.");
}

TEST(ReadClaim, NeedsADateItCanRead) {
  auto sent = go_request();
  for (const auto* bad : {"", "2024-10-21T13:15:02Z", "20241321T131502Z", "20241021T131502",
                          "20241021t131502Z", "Mon, 21 Oct 2024 13:15:02 GMT"}) {
    sent.replace("x-amz-date", bad);
    EXPECT_TRUE(refusal_of(sent).starts_with("IncompleteSignatureException")) << bad;
  }
  sent.remove("x-amz-date");
  EXPECT_EQ(refusal_of(sent),
            "IncompleteSignatureException: Authorization header requires existence of either a "
            "'X-Amz-Date' or a 'Date' header.");
}

TEST(ReadClaim, TakesTheDateHeaderInEitherForm) {
  auto sent = go_request();
  sent.remove("x-amz-date");
  sent.headers.emplace_back("Date", "");
  for (const auto* text :
       {"20241021T131502Z", "Mon, 21 Oct 2024 13:15:02 GMT", "Mon, 21 Oct 2024 13:15:02 -0000"}) {
    sent.replace("date", text);
    EXPECT_EQ(read_claim(sent.head()).value().timestamp, "20241021T131502Z") << text;
  }
  for (const auto* bad : {"Mon, 21 Okt 2024 13:15:02 GMT", "Mon, 21 Oct 2024 13:15:02 +0900"}) {
    sent.replace("date", bad);
    EXPECT_FALSE(read_claim(sent.head())) << bad;
  }
}

TEST(Verify, AcceptsFiveMinutesEitherWayAndSaysTheWindow) {
  const auto sent = go_request();
  EXPECT_EQ(refusal_of(sent, signed_at + 300), "");
  EXPECT_EQ(refusal_of(sent, signed_at - 300), "");
  EXPECT_EQ(refusal_of(sent, signed_at + 301),
            "InvalidSignatureException: Signature expired: 20241021T131502Z is now earlier than "
            "20241021T131503Z (20241021T132003Z - 5 min.)");
  EXPECT_EQ(refusal_of(sent, signed_at - 301),
            "InvalidSignatureException: Signature not yet current: 20241021T131502Z is still later "
            "than 20241021T131501Z (20241021T131001Z + 5 min.)");
}

TEST(Verify, RefusesWhateverWasChanged) {
  const auto changed = [](auto change) {
    auto sent = go_request();
    change(sent);
    return refusal_of(sent);
  };
  EXPECT_EQ(changed([](Sent&) {}), "");
  const std::string refusals[] = {
      changed([](Sent& sent) { sent.body += ' '; }),
      changed([](Sent& sent) { sent.method = "PUT"; }),
      changed([](Sent& sent) { sent.target += "?a=b"; }),
      changed([](Sent& sent) { sent.target = "/findings/LIST"; }),
      changed([](Sent& sent) { sent.replace("host", "other"); }),
      changed([](Sent& sent) { sent.remove("content-type"); }),
      changed([](Sent& sent) { sent.headers.emplace_back("content-type", "b"); }),
      changed([](Sent& sent) { sent.replace("x-amz-date", "20241021T131503Z"); }),
  };
  for (const auto& refusal : refusals) EXPECT_TRUE(refusal.starts_with(mismatch)) << refusal;
  EXPECT_TRUE(refusal_of(go_request(), signed_at, {}, crypto::Secret(std::string_view("other")))
                  .starts_with(mismatch));
}

TEST(Verify, IgnoresHeadersThatWereNotSigned) {
  auto sent = go_request();
  sent.headers.emplace_back("X-Forwarded-For", "192.0.2.1");
  EXPECT_EQ(refusal_of(sent), "");
}

TEST(Verify, WantsHostAndTargetToBeSigned) {
  auto sent = go_request();
  sent.headers.emplace_back("X-Amz-Target", "InspectorService.DeleteAssessmentRun");
  EXPECT_EQ(refusal_of(sent),
            "InvalidSignatureException: 'X-Amz-Target' must be a 'SignedHeader' in the AWS "
            "Authorization.");
  sent.replace("authorization",
               "AWS4-HMAC-SHA256 Credential=AKID/20241021/r/inspector2/aws4_request, "
               "SignedHeaders=x-amz-date, Signature=" +
                   std::string(64, 'a'));
  EXPECT_EQ(refusal_of(sent),
            "InvalidSignatureException: 'Host' or ':authority' must be a 'SignedHeader' in the AWS "
            "Authorization.");
}

TEST(Verify, WantsTheServiceAndTheDayOfTheScope) {
  EXPECT_EQ(refusal_of(signed_request({}, "ec2")),
            "InvalidSignatureException: Credential should be scoped to correct service: "
            "'inspector2', 'sts'.");
  auto sent = go_request();
  sent.replace("x-amz-date", "20241022T000000Z");
  EXPECT_EQ(refusal_of(sent, signed_at + 10 * 3600),
            "InvalidSignatureException: Date in Credential scope does not match YYYYMMDD from "
            "ISO-8601 version of date from HTTP: '20241021' != '20241022', from "
            "'20241022T000000Z'.");
}

TEST(Verify, TakesAnUnsignedBodyOnlyWhereThatIsAllowed) {
  Sent sent{.headers = {{"Host", std::string(host)}, {"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}},
            .body = "anything"};
  for (auto& header :
       sign(sent.head(), unsigned_payload, credentials(), "us-east-1", "inspector2", signed_at))
    sent.headers.push_back(header);
  EXPECT_EQ(refusal_of(sent),
            "InvalidSignatureException: The body must be signed: 'UNSIGNED-PAYLOAD' is not "
            "accepted.");
  EXPECT_EQ(refusal_of(sent, signed_at, {.unsigned_payload = true}), "");
}

TEST(Verify, ComparesAStatedHashWithTheBody) {
  auto sent =
      signed_request({.headers = {{"X-Amz-Content-Sha256", payload_hash("text")}}, .body = "text"});
  EXPECT_EQ(refusal_of(sent), "");
  sent.body = "other";
  EXPECT_NE(refusal_of(sent).find("does not match what was computed"), std::string::npos);
}

Sent presigned() {
  return {.method = "GET",
          .target =
              "/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256"
              "&X-Amz-Credential=TKIAABCDEFGHIJKLMNOP%2F20241021%2Fus-east-1%2Fsts%2F"
              "aws4_request&X-Amz-Date=20241021T131502Z&X-Amz-Expires=900"
              "&X-Amz-SignedHeaders=host&X-Amz-Signature="
              "ff3f4af695f5612007b9fa538534270337a61f70b8d9ab8892ac1fabfd8d7d48",
          .headers = {{"Host", std::string(host)}}};
}

TEST(PresignedUrl, HoldsUntilItExpires) {
  EXPECT_EQ(refusal_of(presigned()), "");
  EXPECT_EQ(refusal_of(presigned(), signed_at + 899), "");
  EXPECT_EQ(refusal_of(presigned(), signed_at + 900),
            "RequestExpired: Request has expired: it was valid until 20241021T133002Z and it is "
            "20241021T133002Z.");
  EXPECT_TRUE(refusal_of(presigned(), signed_at - 301)
                  .starts_with("InvalidSignatureException: Signature not yet current"));
}

TEST(PresignedUrl, RefusesWhatWasChangedOrAddedToIt) {
  auto sent = presigned();
  sent.target += "&DryRun=1";
  EXPECT_TRUE(refusal_of(sent).starts_with(mismatch));
  sent = presigned();
  sent.target.replace(sent.target.find("Expires=900"), 11, "Expires=901");
  EXPECT_TRUE(refusal_of(sent).starts_with(mismatch));
  sent = presigned();
  sent.target += "&X-Amz-Signature=" + std::string(64, 'a');
  EXPECT_TRUE(refusal_of(sent).starts_with("IncompleteSignatureException"));
  sent = presigned();
  sent.headers.emplace_back("Authorization", "AWS4-HMAC-SHA256 x");
  EXPECT_TRUE(refusal_of(sent).starts_with("IncompleteSignatureException"));
}

TEST(PresignedUrl, WantsEveryParameterAndALifetimeOfAWeekAtMost) {
  for (const auto* name : {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
                           "X-Amz-SignedHeaders"}) {
    auto sent = presigned();
    sent.target.replace(sent.target.find(name), 5, "X-Gcp");
    EXPECT_EQ(refusal_of(sent),
              std::string("IncompleteSignatureException: AWS query-string parameters must include "
                          "'") +
                  name + "'.");
  }
  for (const auto* bad : {"Expires=0", "Expires=604801", "Expires=-1", "Expires="}) {
    auto sent = presigned();
    sent.target.replace(sent.target.find("Expires=900"), 11, bad);
    EXPECT_TRUE(refusal_of(sent).starts_with("IncompleteSignatureException: X-Amz-Expires")) << bad;
  }
}

TEST(SigningKeys, StayRightWhenTheyAreFull) {
  SigningKeys keys(2);
  const crypto::Secret a(std::string_view("a"));
  const crypto::Secret b(std::string_view("b"));
  const auto first = keys.get(a, "20241021", "us-east-1", "sts");
  EXPECT_NE(first.reveal(), keys.get(b, "20241021", "us-east-1", "sts").reveal());
  EXPECT_NE(first.reveal(), keys.get(a, "20241022", "us-east-1", "sts").reveal());
  EXPECT_NE(first.reveal(), keys.get(a, "20241021", "us-east-2", "sts").reveal());
  EXPECT_NE(first.reveal(), keys.get(a, "20241021", "us-east-1", "inspector2").reveal());
  EXPECT_EQ(first.reveal(), keys.get(a, "20241021", "us-east-1", "sts").reveal());
}

TEST(Refusals, HaveTheCodesAndStatusesOfTheirProtocol) {
  EXPECT_EQ(error_code(Fault::invalid_signature, Protocol::query), "SignatureDoesNotMatch");
  EXPECT_EQ(error_code(Fault::unknown_client, Protocol::json), "UnrecognizedClientException");
  EXPECT_EQ(error_code(Fault::unknown_client, Protocol::query), "InvalidClientTokenId");
  EXPECT_EQ(http_status(Fault::missing_authentication), 403);
  EXPECT_EQ(http_status(Fault::incomplete_signature), 400);
  EXPECT_EQ(http_status(Fault::unknown_client), 403);
  EXPECT_EQ(http_status(Fault::invalid_signature), 403);
  EXPECT_EQ(http_status(Fault::expired), 400);
  EXPECT_EQ(http_status(Fault::unavailable), 503);
  EXPECT_EQ(unknown_client().message, "The security token included in the request is invalid.");
}

TEST(UriEncode, LeavesUnreservedCharactersOnly) {
  EXPECT_EQ(uri_encode("aZ0-._~/ +%:é", Slash::keep), "aZ0-._~/%20%2B%25%3A%C3%A9");
  EXPECT_EQ(uri_encode("a/b", Slash::encode), "a%2Fb");
}

TEST(QueryParameters, AreDecodedInTheirOrder) {
  const std::vector<Parameter> expected = {{"b", "1 +"}, {"a", ""}, {"a", "x=y"}, {"%z", "%4"}};
  EXPECT_EQ(query_parameters("b=1%20+&a&&a=x%3dy&%z=%4"), expected);
  EXPECT_TRUE(query_parameters("").empty());
}

}  // namespace
}  // namespace tenken::aws
