#include "report/words.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace tenken::report {

using enum Message;

Message word(SeverityLevel level) {
  switch (level) {
    case SeverityLevel::critical:
      return severity_critical;
    case SeverityLevel::high:
      return severity_high;
    case SeverityLevel::medium:
      return severity_medium;
    case SeverityLevel::low:
      return severity_low;
    case SeverityLevel::none:
      return severity_none;
    case SeverityLevel::unknown:
      return severity_unknown;
  }
  return severity_unknown;
}

Message word(FindingStatus status) {
  switch (status) {
    case FindingStatus::affected:
      return status_affected;
    case FindingStatus::fix_deferred:
      return status_fix_deferred;
    case FindingStatus::will_not_fix:
      return status_will_not_fix;
    case FindingStatus::end_of_life:
      return status_end_of_life;
    case FindingStatus::under_investigation:
      return status_under_investigation;
    case FindingStatus::not_running:
      return status_not_running;
  }
  return status_affected;
}

std::string kind_word(Lang lang, std::string_view kind) {
  constexpr std::array<std::pair<std::string_view, Message>, 9> words{
      {{"ecosystem", kind_ecosystem},
       {"release", kind_release},
       {"version", kind_version},
       {"package", kind_package},
       {"database", kind_database},
       {"module", kind_module},
       {"vendor", kind_vendor},
       {"feed", kind_feed},
       {"inventory", kind_inventory}}};
  const auto* const at =
      std::ranges::find(words, kind, &std::pair<std::string_view, Message>::first);
  return at == words.end() ? printable(kind) : say(lang, at->second);
}

}  // namespace tenken::report
