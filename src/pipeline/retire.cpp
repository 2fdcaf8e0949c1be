#include "pipeline/retire.h"

#include <cstring>

#include "crypto/random.h"
#include "store/resources.h"

namespace tenken::pipeline {
namespace {

// The evaluators count microseconds from the start of a second; a random one names this change.
std::int64_t transition_at(Seconds now) {
  std::uint32_t random = 0;
  const auto bytes = crypto::random_bytes(sizeof random);
  std::memcpy(&random, bytes.data(), sizeof random);
  return now * 1'000'000 + random % 1'000'000;
}

}  // namespace

Result<store::Changes> retire(sql::Connection& connection, store::ResourceId resource,
                              std::string cause, Seconds now) {
  TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
  TRY_VOID(store::lock_slice(connection, store::slice_of(resource)));
  TRY(const auto ended, store::terminate_resource(connection, resource, now));
  if (!ended) return store::Changes{};
  TRY(const auto changes,
      store::close_resource(
          connection, resource,
          {.now = now, .transition = transition_at(now), .cause = std::move(cause)}));
  TRY_VOID(transaction.commit());
  return changes;
}

}  // namespace tenken::pipeline
