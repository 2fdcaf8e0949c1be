#include "api/front_door.h"

#include <array>
#include <map>

#include <fmt/format.h>

#include "api/audit_writer.h"
#include "api/database_age.h"
#include "api/sts.h"
#include "api/v1/v1.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "http/url.h"

namespace tenken::api {
namespace {

constexpr std::array<std::string_view, 3> services_signed_for{"inspector2", "inspector-scan",
                                                              "sts"};
constexpr std::size_t plain_body_limit = std::size_t{1} << 20;
constexpr std::size_t inventory_body_limit = std::size_t{64} << 20;

http::Response refusal(const aws::Refusal& refusal, aws::Protocol protocol) {
  if (protocol == aws::Protocol::query) {
    auto out = sts_error(aws::error_code(refusal.fault, protocol), refusal.message,
                         aws::http_status(refusal.fault));
    if (refusal.fault == aws::Fault::unavailable) out.headers.set("Retry-After", "1");
    return out;
  }
  if (refusal.fault == aws::Fault::unavailable) return to_response(service_unavailable());
  http::Response out;
  out.status = aws::http_status(refusal.fault);
  out.headers.all = {{"Content-Type", "application/json"},
                     {"x-amzn-ErrorType", std::string(aws::error_code(refusal.fault, protocol))}};
  json::Writer body;
  body.begin_object().member("message", refusal.message).end_object();
  out.body = body.take();
  return out;
}

std::string wrong_scope(std::string_view service) {
  return fmt::format("Credential should be scoped to correct service: '{}'.", service);
}
http::Response refused_scope(std::string_view service) {
  return to_response(
      ApiError{.code = ErrorCode::invalid_signature, .message = wrong_scope(service)});
}

http::Response document(int status, std::string body) {
  http::Response out;
  out.status = status;
  out.headers.all.emplace_back("Content-Type", "application/json");
  out.body = std::move(body);
  return out;
}

std::string target_of(const HandledOperation& operation, const Input& input,
                      const std::string& own_account) {
  std::string out;
  for (const auto path : split(operation.target, ' ')) {
    for (const auto text : input.texts(path)) {
      if (out.size() >= access::longest_audit_text) break;
      if (!out.empty()) out += ' ';
      out += text;
    }
  }
  return out.empty() ? own_account : out;
}

}  // namespace

struct FrontDoor::State {
  State(Services all, access::KeyRing& keys, std::function<void(std::string_view, const Error&)> l)
      : services(std::move(all)),
        authenticator(keys, services_signed_for),
        audit(*services.pool),
        log(std::move(l)),
        inspector2(ServiceModel::inspector2()),
        inspector_scan(ServiceModel::inspector_scan()),
        models{&inspector2, &inspector_scan},
        router(models) {
    for (const auto* family : families()) {
      for (const auto& operation : family->operations) {
        const bool fresh = operations.emplace(operation.name, &operation).second;
        CHECK(fresh);
      }
    }
  }

  Services services;
  access::Authenticator authenticator;
  AuditWriter audit;
  std::function<void(std::string_view, const Error&)> log;
  ServiceModel inspector2;
  ServiceModel inspector_scan;
  std::array<const ServiceModel*, 2> models;
  Router router;
  std::map<std::string_view, const HandledOperation*> operations;

  // nullptr: an operation that comes with a later version.
  const HandledOperation* handled(const Route& route) const {
    const auto found = operations.find(route.operation->name);
    return found == operations.end() ? nullptr : found->second;
  }
  http::Response answer(const http::Request& request, const access::Authenticated& who);
  http::Response operate(const http::Request& request, const access::Authenticated& who);
  ApiResult<std::string> call(const http::Request& request, const Route& route,
                              const access::Authenticated& who, AuditNote& noted);
  http::Response answer_v1(const http::Request& request, const access::Authenticated& who);
  void note(const http::Request& request, const access::Principal& who, const Route& route,
            AuditNote noted);
  void note(const http::Request& request, const access::Principal& who, std::string action,
            AuditNote noted);
  void write(AuditWriter::Note note);
  // Nothing is changed while the audit log is behind.
  bool audit_is_behind(const http::Request& request);
  bool is_noted(const Route& route) const {
    const auto* operation = handled(route);
    return operation != nullptr && operation->needs != access::Permission::read;
  }
};

FrontDoor::FrontDoor(Services services, access::KeyRing& keys,
                     std::function<void(std::string_view, const Error&)> log)
    : state_(std::make_unique<State>(std::move(services), keys, std::move(log))) {}
FrontDoor::~FrontDoor() = default;

Result<> FrontDoor::write_audit() {
  return state_->audit.catch_up();
}

std::size_t FrontDoor::body_limit(const http::Request& head) {
  const bool inventory = head.path().starts_with("/v1/") || head.path().starts_with("/scan/");
  return inventory ? inventory_body_limit : plain_body_limit;
}

http::Response FrontDoor::answer(const http::Request& request) {
  auto& state = *state_;
  // The signature of another path would be this one's too.
  if (http::has_dot_or_empty_segment(request.path()))
    return to_response(validation_failed("The path has a segment that is empty, . or ..",
                                         Reason::cannot_parse));
  const auto protocol = is_sts(request) ? aws::Protocol::query : aws::Protocol::json;
  const aws::RequestHead head{
      .method = request.method, .target = request.target, .headers = request.headers.all};
  const auto checked = state.authenticator.authenticate(head, request.body, state.services.clock());
  if (!checked) {
    if (checked.error().fault == aws::Fault::unavailable)
      state.log(request.id, unavailable(checked.error().cause));
    return refusal(checked.error(), protocol);
  }
  auto response = state.answer(request, *checked);
  if (const auto& fault = response.note.fault; !fault.empty())
    state.log(request.id, Error{Errc::internal, fault});
  response.note.account = checked->principal.account;
  response.note.access_key_id = checked->principal.access_key_id;
  return response;
}

http::Response FrontDoor::State::answer(const http::Request& request,
                                        const access::Authenticated& who) {
  if (is_sts(request)) {
    constexpr auto fault = aws::Fault::invalid_signature;
    if (who.service != "sts")
      return sts_error(aws::error_code(fault, aws::Protocol::query), wrong_scope("sts"),
                       aws::http_status(fault));
    return answer_sts(request, who.principal);
  }
  auto out = v1::is_v1(request) ? answer_v1(request, who) : operate(request, who);
  const auto generation = services.generation();
  set_database_headers(out, generation.get(), services.clock());
  return out;
}

http::Response FrontDoor::State::operate(const http::Request& request,
                                         const access::Authenticated& who) {
  const auto route = router.find(request.method, request.path());
  if (!route) return to_response(route.error());
  if (route->operation->service != who.service) return refused_scope(route->operation->service);
  if (is_noted(*route) && audit_is_behind(request)) return to_response(service_unavailable());
  AuditNote noted;
  auto answered = call(request, *route, who, noted);
  if (!answered) noted.outcome = name(answered.error().code);
  if (noted.outcome.empty()) noted.outcome = "success";
  note(request, who.principal, *route, std::move(noted));
  auto response = answered ? document(route->operation->status, *std::move(answered))
                           : to_response(answered.error());
  response.note.operation = route->operation->name;
  return response;
}

ApiResult<std::string> FrontDoor::State::call(const http::Request& request, const Route& route,
                                              const access::Authenticated& who, AuditNote& noted) {
  const auto* operation = handled(route);
  const auto needs = operation != nullptr ? operation->needs : access::Permission::read;
  // Read first: the audit log says too what somebody tried to do who may not.
  auto input = Input::read(route, request.query(), request.body);
  if (input && operation != nullptr)
    noted.target = target_of(*operation, *input, who.principal.account);
  if (!who.principal.may(needs))
    return access_denied("User: " + access::arn(who.principal) + " is not authorized to perform: " +
                         route.operation->service + ":" + route.operation->name);
  if (!input) return std::move(input).error();
  if (operation == nullptr)
    return validation_failed(route.operation->name + " is not available in this version of tenken");
  return operation->handle(
      {.who = who.principal, .input = *input, .services = services, .note = &noted});
}

// Reads are not noted: the access log has them.
void FrontDoor::State::note(const http::Request& request, const access::Principal& who,
                            const Route& route, AuditNote noted) {
  if (!is_noted(route)) return;
  note(request, who, route.operation->service + ":" + route.operation->name, std::move(noted));
}

void FrontDoor::State::note(const http::Request& request, const access::Principal& who,
                            std::string action, AuditNote noted) {
  const access::AuditEvent event{.time = services.clock(),
                                 .account = who.account,
                                 .principal = who.user,
                                 .access_key_id = who.access_key_id,
                                 .source = request.peer,
                                 .action = std::move(action),
                                 .target = std::move(noted.target),
                                 .outcome = std::move(noted.outcome),
                                 .request_id = request.id};
  write({.event = event});
  // The other accounts that it was done to: there its user is a stranger, and the key none of their
  // business.
  auto accounts = std::move(noted.accounts);
  std::erase(accounts, who.account);
  if (accounts.empty()) return;
  auto told = event;
  told.principal = access::arn(who);
  told.access_key_id.clear();
  write({.event = std::move(told), .accounts = std::move(accounts)});
}

void FrontDoor::State::write(AuditWriter::Note note) {
  const auto& event = note.event;
  const auto what = fmt::format("{} of {} by {} in {}: {}", event.action, event.target,
                                event.principal, event.account, event.outcome);
  const auto id = event.request_id;
  if (const auto written = audit.write(std::move(note)); !written)
    log(id, written.error().within("the audit log waits for: " + what));
}

bool FrontDoor::State::audit_is_behind(const http::Request& request) {
  const auto written = audit.catch_up();
  if (!written) log(request.id, written.error().within("the audit log is behind"));
  return !written;
}

http::Response FrontDoor::State::answer_v1(const http::Request& request,
                                           const access::Authenticated& who) {
  if (who.service != "inspector2") return refused_scope("inspector2");
  if (v1::is_noted(request) && audit_is_behind(request)) return to_response(service_unavailable());
  auto answered = v1::answer(request, who.principal, services);
  if (!answered.action.empty())
    note(request, who.principal, "tenken:" + std::string(answered.action),
         std::move(answered.note));
  return std::move(answered.response);
}

}  // namespace tenken::api
