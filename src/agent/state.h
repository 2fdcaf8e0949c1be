// State: what an agent keeps in its directory (mode 0700): where it belongs, its key and
// certificate, the text of its last report, and reports on their way.
//
//   agent.conf        server, proxy, agent and resource id, the key that signs commands
//   ca.pem            whom the server is trusted by
//   agent.pem         its private key and its certificate, 0600, in one file: they change together
//   identity          random; who the host is where it has no machine id
//   report            sequence and text of the last report that was made
//   sequence          the number of the last report, written in place: a full disk takes it too
//   spool/            reports on their way
//   look              when it looked at its host last, and what told that it was that
//   held              since when and why nothing is reported (hold.h)
//   status            how it goes, for `tenken-agent status`
//
// Errors: those of files; conflict (another agent runs on the directory), invalid (not enrolled; a
// file that somebody damaged). Thread rule: one thread; the lock keeps other processes out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "base/time.h"

namespace tenken::agent {

inline constexpr std::string_view default_state = "/var/lib/tenken-agent";

// What enrolment gave.
struct Membership {
  std::string server;  // URL
  std::string proxy;   // URL; empty: none, or what the environment says
  std::string agent_id;
  std::string resource_id;
  std::string command_key;  // public key of Ed25519, base64
  std::string release_key;  // that of releases; empty: none was pinned, nothing is updated
  std::string machine;      // host::machine_hash() of the host that enrolled; empty: not known
};

struct LastReport {
  std::uint64_t sequence = 0;  // 0: there was none
  std::vector<std::string> lines;
};

// Of an agent that begins anew each time (cron): what tells whether it has to look at its host.
struct LastLook {
  std::string host;         // Collection::fingerprint()
  std::string version;      // of the agent
  std::string report;       // the digest of what was reported of it
  Seconds looked = 0;       // by the clock of the host, as the next
  Seconds asked_cloud = 0;  // 0: never
};

class State {
 public:
  // Makes the directory and takes its lock.
  static Result<State> open(std::string directory);

  const std::string& directory() const { return directory_; }
  std::string path(std::string_view name) const;

  // Errors also: invalid, with what to do, where the agent is not enrolled.
  Result<Membership> membership() const;
  // All of it or nothing: the membership is written last.
  Result<> enter(const Membership& membership, std::string_view ca, std::string_view certificate,
                 std::string_view key) const;
  Result<> put_authorities(std::string_view ca) const;
  Result<> put_certificate(std::string_view certificate, std::string_view key) const;

  // 32 hexadecimal digits, made at the first call.
  Result<std::string> identity() const;

  // One that cannot be read counts as none.
  LastReport last_report() const;
  Result<> put_report(const LastReport& report) const;
  // A number is used for one report, also where nothing else of it could be kept. 0: none was.
  std::uint64_t last_sequence() const;
  Result<> put_sequence(std::uint64_t sequence) const;
  // One that cannot be read counts as none.
  LastLook last_look() const;
  Result<> put_look(const LastLook& look) const;

 private:
  State(std::string directory, Fd lock)
      : directory_(std::move(directory)), lock_(std::move(lock)) {}

  std::string directory_;
  Fd lock_;
};

// For commands that only look: without the lock.
Result<Membership> read_membership(const std::string& directory);

}  // namespace tenken::agent
