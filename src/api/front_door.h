// The front door of the APIs: signature, operation, permission, validation, handler, audit, in
// that order, for every request alike; a path that its signature does not tell from another one's
// is refused before all of them. The audit log is written after the change was committed; what
// the store does not take of it waits (audit_writer.h), and is in the server's log: until it is
// written, whoever would change something is told to try again. What is refused is refused with AWS's code and
// status; nothing of the server shows in an answer.
//
// Thread rule: answer may be called from many threads.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "access/audit.h"
#include "access/authenticate.h"
#include "access/key_ring.h"
#include "api/call.h"
#include "api/routes.h"
#include "http/server.h"

namespace tenken::api {

// The families of operations, generated from inspector2/*.cpp.
std::span<const Family* const> families();

class FrontDoor {
 public:
  // The key ring outlives the door. log receives what must not go out: the texts of errors of the
  // server itself, with the request's id.
  FrontDoor(Services services, access::KeyRing& keys,
            std::function<void(std::string_view request_id, const Error&)> log);
  ~FrontDoor();

  http::Response answer(const http::Request& request);
  // Writes what waits for the audit log. Errors: those of the engine; the rest waits on.
  Result<> write_audit();
  // How much body is read for the head of a request.
  static std::size_t body_limit(const http::Request& head);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tenken::api
