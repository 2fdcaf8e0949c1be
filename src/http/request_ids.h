// Identifiers of requests in the form of random UUIDs (RFC 9562 section 5.4): to find a request in
// a log, no secrets.
//
// Thread rule: belongs to one thread.
#pragma once

#include <random>
#include <string>

namespace tenken::http {

class RequestIds {
 public:
  RequestIds();
  std::string next();

 private:
  std::mt19937_64 random_;
};

}  // namespace tenken::http
