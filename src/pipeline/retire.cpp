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
  const auto slice = store::slice_of(resource);
  TRY_VOID(store::lock_slice(connection, slice));
  TRY(const auto ended, store::terminate_resource(connection, resource, now));
  if (!ended) return store::Changes{};
  TRY(const auto transition, store::next_transition(connection, slice, now));
  return store::close_resource(connection, resource,
                               {.now = now, .transition = transition, .cause = std::move(cause)});
}

}  // namespace tenken::pipeline
