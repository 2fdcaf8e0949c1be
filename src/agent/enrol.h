// Enrolment: a token becomes a certificate; and the renewal of that before it ends.
//
// Errors: those of sender.h and exchange.h, and of the state. Thread rule: one thread.
#pragma once

#include <string>

#include "agent/collection.h"
#include "agent/exchange.h"
#include "agent/sender.h"
#include "agent/state.h"
#include "base/result.h"

namespace tenken::agent {

struct EnrolOptions {
  std::string server;  // URL
  std::string ca;      // path of the PEM file that the server is trusted by
  std::string proxy;   // URL; empty: what the environment says
  std::string token;
  std::string release_key;   // base64; empty: the one of before, or none
  std::string_view version;  // of this program
};
// Answers what was stored. An agent that is enrolled already is enrolled anew.
Result<Enrolled> enrol(const EnrolOptions& options, Collection& collection, const State& state);

// How an enrolled agent talks to its server.
Result<SenderOptions> sender_options(const Membership& membership, const State& state);

// Whether a third or less of the certificate's life is left, by the server's time.
Result<bool> must_renew(const State& state, Seconds server_now);
// Over the sender's connection, which ends: the next one has the new certificate, and trusts the
// authority too that the server named. Answers what is to be said of it.
Result<std::string> renew(Sender& sender, const Speaker& speaker, const State& state,
                          Seconds server_now);

}  // namespace tenken::agent
