// libcurl, loaded when it is first needed: linked, it would bring 33 shared objects into every
// start of `tenken scan`, which never uses the network. Of this folder only: it shows curl's types.
//
// Thread rule: curl_library from any thread; a handle belongs to one thread.
#pragma once

#include <curl/curl.h>

#include "base/result.h"

namespace tenken::fetch {

struct Curl {
  decltype(&curl_global_init) global_init = nullptr;
  decltype(&curl_easy_init) easy_init = nullptr;
  decltype(&curl_easy_reset) easy_reset = nullptr;
  decltype(&curl_easy_setopt) setopt = nullptr;
  decltype(&curl_easy_perform) perform = nullptr;
  decltype(&curl_easy_cleanup) cleanup = nullptr;
  decltype(&curl_easy_strerror) strerror = nullptr;
  decltype(&curl_slist_append) list_append = nullptr;
  decltype(&curl_slist_free_all) list_free = nullptr;
};

// Loaded once and never unloaded: OpenSSL leaves handlers for the end of the process.
// Errors: unavailable where libcurl is not installed.
const Result<Curl>& curl_library();

Errc code_of(CURLcode code);

// A handle whose options are set one by one; the first that libcurl refuses is kept.
class CurlHandle {
 public:
  CurlHandle(const Curl& curl, CURL* handle) : curl_(curl), handle_(handle) {}
  ~CurlHandle() { curl_.cleanup(handle_); }
  CurlHandle(const CurlHandle&) = delete;
  CurlHandle& operator=(const CurlHandle&) = delete;

  const Curl& curl() const { return curl_; }
  // Connections are kept, options forgotten.
  void reset() {
    curl_.easy_reset(handle_);
    option_fault_ = CURLE_OK;
    error_text_[0] = '\0';
    set(CURLOPT_ERRORBUFFER, error_text_);
  }
  template <typename Value>
  void set(CURLoption option, Value value) {
    const auto code = curl_.setopt(handle_, option, value);
    if (code != CURLE_OK && option_fault_ == CURLE_OK) option_fault_ = code;
  }
  // Certificates are verified by the system's store, or by $SSL_CERT_FILE and $SSL_CERT_DIR.
  void set_verification();
  CURLcode perform() { return option_fault_ != CURLE_OK ? option_fault_ : curl_.perform(handle_); }
  Error error(CURLcode code) const;

 private:
  const Curl& curl_;
  CURL* handle_;
  CURLcode option_fault_ = CURLE_OK;
  char error_text_[CURL_ERROR_SIZE] = {};
};

}  // namespace tenken::fetch
