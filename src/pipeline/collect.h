// The files of another host, copied over SSH into a directory of this process's own, from which its
// inventory is taken as from a root. Either all of it came or nothing counts.
//
// Errors: those of ssh.h and remote_copy.h, naming the host. Thread rule: one thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "inventory/inspect.h"
#include "pipeline/ingest.h"
#include "pipeline/ssh.h"
#include "sql/sql.h"

namespace tenken::pipeline {

// The command that runs there: what a host may pin for the key (authorized_keys, command="…").
std::string collection_script();

class Collected {
 public:
  static Result<Collected> over_ssh(
      const SshTarget& target, const SshLimits& limits = {},
      const std::function<bool()>& stop = [] { return false; });
  Collected(Collected&& other) noexcept;
  Collected& operator=(Collected&&) = delete;
  ~Collected();  // removes the copy

  const inventory::HostCopy& copy() const { return copy_; }

 private:
  explicit Collected(std::string directory) : directory_(std::move(directory)) {}

  std::string directory_;
  inventory::HostCopy copy_;
};

// Whether an inventory that `tenken collect --save` has written has so few of the packages that the
// store knows the resource by that the host is better asked once more (inventory::is_great_loss).
Result<bool> is_great_loss(sql::Connection& connection, std::string_view account,
                           std::string_view resource, const std::string& file);

// An inventory that `tenken collect --save` has written, into the store; its digest is the file's.
Result<> put_collected(Ingest& ingest, ResourceReport report, const std::string& file);

}  // namespace tenken::pipeline
