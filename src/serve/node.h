// Node: one running server. It opens the store, brings it to its schema, answers the APIs and
// works in the background; everything that must survive lies in the store and the data directory,
// so any number of nodes may share one PostgreSQL, and one that is killed loses nothing.
//
// Errors of start: invalid (options), denied, conflict (another schema, another master key),
// unavailable (address in use, store). Thread rule: start and stop from one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace tenken::serve {

struct NodeOptions {
  std::string data_directory;   // store (SQLite), keys, certificates
  std::string database_uri;     // postgresql://…; empty: SQLite in the data directory
  std::string secret_key_file;  // empty: secret.key in the data directory
  std::string listen = "127.0.0.1:8443";
  bool plaintext = false;  // loopback only
  std::string tls_certificate;
  std::string tls_key;
  std::vector<std::string> tls_names;
  std::string region = "us-east-1";
  std::string advisories;  // a file or a directory of generations; empty: the default place
  std::function<void(std::string_view line)> log;
};

class Node {
 public:
  static Result<std::unique_ptr<Node>> start(NodeOptions options);
  virtual ~Node() = default;
  virtual std::string url() const = 0;
  // Certificates are read anew.
  virtual Result<> reload() = 0;
  // Requests under way are finished for at most grace_ms.
  virtual void stop(int grace_ms) = 0;
};

}  // namespace tenken::serve
