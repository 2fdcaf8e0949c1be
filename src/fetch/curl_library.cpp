#include "fetch/curl_library.h"

#include <cstdlib>

#include <dlfcn.h>

#include "base/text.h"

namespace tenken::fetch {
namespace {

template <typename Function>
bool resolve(void* library, const char* symbol, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, symbol));
  return function != nullptr;
}

Result<Curl> load_curl() {
  void* library = ::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return unavailable(
        "libcurl.so.4 is not installed, which downloads need (Debian and Ubuntu: libcurl4; "
        "Fedora, RHEL, SUSE, Alpine: libcurl)");
  }
  Curl curl;
  const bool whole = resolve(library, "curl_global_init", curl.global_init) &&
                     resolve(library, "curl_easy_init", curl.easy_init) &&
                     resolve(library, "curl_easy_reset", curl.easy_reset) &&
                     resolve(library, "curl_easy_setopt", curl.setopt) &&
                     resolve(library, "curl_easy_perform", curl.perform) &&
                     resolve(library, "curl_easy_cleanup", curl.cleanup) &&
                     resolve(library, "curl_easy_strerror", curl.strerror) &&
                     resolve(library, "curl_slist_append", curl.list_append) &&
                     resolve(library, "curl_slist_free_all", curl.list_free);
  if (!whole) return unavailable("libcurl.so.4 lacks a function that downloads need");
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return unavailable("libcurl.so.4 does not initialise");
  return curl;
}

}  // namespace

const Result<Curl>& curl_library() {
  static const Result<Curl> curl = load_curl();
  return curl;
}

Errc code_of(CURLcode code) {
  switch (code) {
    case CURLE_FILESIZE_EXCEEDED:
      return Errc::limit;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return Errc::denied;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_TOO_MANY_REDIRECTS:
      return Errc::invalid;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
    case CURLE_UNKNOWN_OPTION:
      return Errc::internal;
    default:
      return Errc::unavailable;
  }
}

void CurlHandle::set_verification() {
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (const char* file = std::getenv("SSL_CERT_FILE")) set(CURLOPT_CAINFO, file);
  if (const char* folder = std::getenv("SSL_CERT_DIR")) set(CURLOPT_CAPATH, folder);
}

Error CurlHandle::error(CURLcode code) const {
  const char* text = error_text_[0] != '\0' ? error_text_ : curl_.strerror(code);
  return {code_of(code), printable(text)};
}

}  // namespace tenken::fetch
