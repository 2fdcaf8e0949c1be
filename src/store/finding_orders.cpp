#include "store/finding_orders.h"

#include <algorithm>
#include <array>

namespace tenken::store {
namespace {

using Kind = KeyColumn::Kind;

constexpr KeyColumn by_score{"f.score"};
constexpr KeyColumn by_status{"f.status"};
constexpr KeyColumn by_episode{"f.episode"};
constexpr KeyColumn by_last_observed{"f.last_observed_at"};
constexpr KeyColumn by_its_resource{"f.resource_id"};
constexpr KeyColumn by_account{"f.account_id", Kind::text};
constexpr KeyColumn by_its_vulnerability{"f.vulnerability_id", Kind::text};
constexpr KeyColumn by_walked_vulnerability{"v.vulnerability_id", Kind::text};
constexpr KeyColumn by_walked_resource{"r.resource_id"};
constexpr std::array orders{
    Order{FindingOrder::score,
          Walk::scores,
          {by_score, by_its_resource, by_its_vulnerability, by_episode},
          4},
    Order{FindingOrder::first_observed,
          Walk::times,
          {by_episode, by_its_resource, by_its_vulnerability},
          3},
    Order{FindingOrder::last_observed,
          Walk::times,
          {by_last_observed, by_its_resource, by_its_vulnerability, by_episode},
          4},
    Order{FindingOrder::resource_type,
          Walk::resources,
          {KeyColumn{"r.type", Kind::text}, by_walked_resource, by_its_vulnerability, by_episode},
          4,
          2,
          "resource_by_type"},
    Order{FindingOrder::image_repository,
          Walk::resources,
          {KeyColumn{"r.repository", Kind::text}, by_walked_resource, by_its_vulnerability,
           by_episode},
          4,
          2,
          "resource_by_repository"},
    Order{
        FindingOrder::image_registry,
        Walk::resources,
        {KeyColumn{"r.registry", Kind::text}, by_walked_resource, by_its_vulnerability, by_episode},
        4,
        2,
        "resource_by_registry"},
    Order{FindingOrder::vulnerability,
          Walk::vulnerabilities,
          {by_walked_vulnerability, by_account, by_status, by_score, by_its_resource, by_episode},
          6,
          1},
    Order{FindingOrder::vulnerability_source,
          Walk::vulnerabilities,
          {KeyColumn{"v.source", Kind::text}, by_walked_vulnerability, by_account, by_status,
           by_score, by_its_resource, by_episode},
          7,
          2},
    Order{FindingOrder::epss,
          Walk::vulnerabilities,
          {KeyColumn{"v.epss", Kind::number}, by_walked_vulnerability, by_account, by_status,
           by_score, by_its_resource, by_episode},
          7,
          2},
};

}  // namespace

const Order& find_order(FindingOrder order) {
  const auto* const found = std::ranges::find(orders, order, &Order::order);
  CHECK(found != orders.end());
  return *found;
}

std::span<const KeyColumn> key_of(FindingOrder order) {
  const auto& found = find_order(order);
  return std::span(found.columns).first(found.size);
}

}  // namespace tenken::store
