#include "crypto/openssl.h"

#include <fmt/format.h>
#include <openssl/err.h>

namespace tenken::crypto {

Error openssl_error(Errc code, std::string_view what) {
  const auto reason = ERR_get_error();
  ERR_clear_error();
  const char* text = reason == 0 ? nullptr : ERR_reason_error_string(reason);
  return {code, text == nullptr ? std::string(what) : fmt::format("{}: {}", what, text)};
}

int no_pass_phrase(char*, int, int, void*) {
  return -1;
}

}  // namespace tenken::crypto
