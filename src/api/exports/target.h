// Where an export is written to: a bucket of S3, or the account's folder in the server's own
// directory of exports.
//
// Thread rule: one target per thread.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "aws/s3.h"
#include "store/exports.h"

namespace tenken::api::exports {

// Why an export does not go on.
struct Fault {
  enum class Next : std::uint8_t { fail, retry, stop };
  Next next = Next::fail;
  std::string code;        // of the API: "BUCKET_NOT_FOUND"
  std::string message;     // for the account: the S3 server's words or a sentence of ours
  std::string cause = {};  // for the operator's log alone: paths, SQL and the like
};
template <typename T = void>
using Outcome = std::expected<T, Fault>;

Fault failed(std::string_view code, std::string message, std::string cause = {});
// The server's own fault: it fails, or is tried again.
Fault broken(const Error& error);
Fault retry_later(const Error& error);
Fault stopped();
Fault fault_of(const aws::S3Fault& fault);

class Target {
 public:
  virtual ~Target() = default;
  // name: the object's within the export; '/' parts folders.
  virtual Outcome<> put_text(const std::string& name, std::string_view text) = 0;
  // The first `size` bytes of the file.
  virtual Outcome<> put_file(const std::string& name, int fd, std::uint64_t size) = 0;
  // After the last object. What takes the place of an earlier export does so now.
  virtual Outcome<> finish() { return {}; }
};

// client outlives the target.
std::unique_ptr<Target> bucket_target(const store::Export& one, aws::S3Client& client);
// directory/ACCOUNT/NAME: a file, or of SBOMs a folder, which is written beside that of the same
// name and takes its place when it is whole.
std::unique_ptr<Target> directory_target(const store::Export& one, const std::string& directory);

}  // namespace tenken::api::exports
