#include "pipeline/retire.h"

#include "store/resources.h"

namespace tenken::pipeline {

Result<store::Changes> retire(sql::Connection& connection, store::ResourceId resource,
                              std::string cause, Seconds now) {
  TRY(auto transaction, sql::Transaction::begin(connection, sql::Transaction::Mode::write));
  TRY(const auto changes, retire_within(connection, resource, std::move(cause), now));
  TRY_VOID(transaction.commit());
  return changes;
}

Result<store::Changes> retire_within(sql::Connection& connection, store::ResourceId resource,
                                     std::string cause, Seconds now) {
  TRY_VOID(store::lock_slice(connection, store::slice_of(resource)));
  TRY(const auto ended, store::terminate_resource(connection, resource, now));
  if (!ended) return store::Changes{};
  return store::close_resource(
      connection, resource,
      {.now = now, .transition = store::transition_at(now), .cause = std::move(cause)});
}

}  // namespace tenken::pipeline
