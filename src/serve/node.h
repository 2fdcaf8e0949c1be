// Node: one running server. It opens the store, brings it to its schema, answers the APIs and
// works in the background; everything that must survive lies in the store and the data directory,
// so any number of nodes may share one PostgreSQL, and one that is killed loses nothing.
//
// Errors of start: invalid (options), denied, conflict (another schema, another master key),
// unavailable (address in use, store). Thread rule: start and stop from one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "serve/exporter.h"
#include "serve/housekeeper.h"
#include "serve/log.h"

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
  // A file, which somebody else replaces, or a directory of generations, which this node fills
  // from the feeds; empty: the default place. With feeds_directory a directory of its own.
  std::string advisories;
  std::string feeds_directory;     // generations are built from it instead of from the network
  bool no_update = false;          // somebody else fills the directory of generations
  std::vector<std::string> feeds;  // ids; empty: all
  std::vector<std::string> ecosystems;
  std::vector<std::string> mirrors;
  std::uint64_t min_free_bytes = std::uint64_t{256} << 20;
  BackupRules backup;
  store::HousekeepingOptions retention;
  Seconds keep_audit = default_keep_audit;
  ExportRules exports;
  std::string agent_releases;      // a directory of signed agents; empty: none are handed out
  std::string metrics_token_file;  // empty: /metrics is for clients on this host only
  std::string program;             // tenken itself, for what runs beside the server
  Log* log = nullptr;              // outlives the node
};

class Node {
 public:
  static Result<std::unique_ptr<Node>> start(NodeOptions options);
  virtual ~Node() = default;
  virtual std::string url() const = 0;
  // Certificates are read and the log's file is opened anew; what fails is logged and stays as it
  // was.
  virtual void reload() = 0;
  // Requests under way are finished for at most grace_ms.
  virtual void stop(int grace_ms) = 0;
};

}  // namespace tenken::serve
