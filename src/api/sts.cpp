#include "api/sts.h"

#include <algorithm>

#include <fmt/format.h>

#include "http/url.h"

namespace tenken::api {
namespace {

std::string xml_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

http::Response xml(int status, std::string body) {
  http::Response out;
  out.status = status;
  out.headers.all.emplace_back("Content-Type", "text/xml");
  out.body = std::move(body);
  return out;
}

std::string action_of(const http::Request& request) {
  const auto form = request.method == "POST" ? http::parse_form(request.body)
                                             : http::parse_query(request.query());
  if (!form) return {};
  const auto action = std::ranges::find(*form, "Action", &http::Parameter::name);
  return action == form->end() ? std::string() : action->value;
}

}  // namespace

bool is_sts(const http::Request& request) {
  return request.path() == "/";
}

http::Response sts_error(std::string_view code, std::string_view message, int status) {
  return xml(status,
             fmt::format("<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
                         "<Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error>"
                         "</ErrorResponse>",
                         xml_text(code), xml_text(message)));
}

http::Response answer_sts(const http::Request& request, const access::Principal& who) {
  const auto action = action_of(request);
  if (action.empty())
    return sts_error("InvalidAction",
                     "This request is signed for the service sts, of which only GetCallerIdentity "
                     "is served: sign others for inspector2 or inspector-scan",
                     400);
  if (action != "GetCallerIdentity")
    return sts_error("InvalidAction",
                     fmt::format("Could not find operation {} for version 2011-06-15", action),
                     400);
  return xml(200, fmt::format("<GetCallerIdentityResponse "
                              "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
                              "<GetCallerIdentityResult><Arn>{}</Arn><UserId>{}</UserId>"
                              "<Account>{}</Account></GetCallerIdentityResult>"
                              "<ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata>"
                              "</GetCallerIdentityResponse>",
                              xml_text(access::arn(who)), xml_text(who.user_id),
                              xml_text(who.account), xml_text(request.id)));
}

}  // namespace tenken::api
