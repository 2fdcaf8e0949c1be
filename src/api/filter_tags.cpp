#include "api/filter_tags.h"

#include <fmt/format.h>

#include "api/pattern.h"
#include "base/text.h"
#include "store/tags.h"

namespace tenken::api {

std::string filter_arn_start(const Services& services, std::string_view account) {
  return fmt::format("arn:aws:inspector2:{0}:{1}:owner/{1}/filter/", services.region, account);
}

std::string filter_arn_start(const Call& call) {
  return filter_arn_start(call.services, call.who.account);
}

ApiResult<> put_requested_tags(sql::Connection& connection, const Call& call,
                               std::string_view arn) {
  // What UntagResource takes by the model, which describes the names given here less closely.
  static const Pattern removable("(?!aws:)[a-zA-Z+-=._:/]+");
  store::Tags wanted;
  call.input["tags"].for_each_member(
      [&](std::string_view name, json::Value value) { wanted.emplace(name, value.string()); });
  for (const auto& [name, value] : wanted) {
    if (ascii_lower(name).starts_with("aws:"))
      return validation_failed("Names of tags cannot begin with aws:");
    if (!removable.matches(name))
      return validation_failed(
          fmt::format("tags: {}: a name must satisfy regular expression pattern: {}",
                      printable(name), removable.text()));
  }
  const auto put = store::put_tags(connection, call.who.account, arn, wanted);
  if (!put && put.error().code == Errc::limit) return bad_request(put.error().what);
  TRY_VOID(put);
  return {};
}

}  // namespace tenken::api
