// Ingest: inventories of resources on their way into the store. Reports that arrive together are
// written in one transaction, so that many small ones share one sync to disk; each caller waits
// until its own is durable and learns whether it is.
//
// Errors: unavailable (the store cannot be written now: try again), limit (too many waiting),
// conflict. Thread rule: put and confirm may be called from any thread; one thread writes.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "model/host_facts.h"
#include "model/inventory.h"
#include "sql/sql.h"
#include "store/resources.h"

namespace tenken::pipeline {

// What a report says of its resource beside the inventory.
struct ResourceReport {
  std::string account;
  std::string external_id;
  std::string type = "AWS_EC2_INSTANCE";
  std::string region = "us-east-1";  // where it counts as being
  std::vector<std::pair<std::string, std::string>> tags;
  std::string digest;  // of the bytes that were sent
  Seconds received = 0;
  Seconds expires = 0;     // 0: never
  bool agentless = false;  // fetched from the host by somebody else
};
// The inventory as the store keeps it: package versions with what of their host decides a match.
// facts: what an agent saw beside; a scan sees none.
store::InventoryWrite stored_inventory(const ResourceReport& report, Inventory inventory,
                                       const HostFacts& facts = {});

class Ingest {
 public:
  // written is called after each commit that left work behind: it wakes the evaluator.
  Ingest(sql::Pool& pool, std::function<void()> written);
  ~Ingest();  // what was put before is written first

  // Returns once the inventory is durable.
  Result<> put(store::InventoryWrite inventory);
  // The same for an agent's report (InventoryWrite::report). False: it is there already, or a later
  // one, and nothing was written.
  Result<bool> report(store::InventoryWrite inventory);
  // The resource reports what it reported before. False: it did not; send the inventory.
  Result<bool> confirm(const ResourceReport& report);

  // From now on everything is refused, as unavailable and for this reason; empty: no longer.
  void refuse(std::string reason);

  struct Counts {
    std::uint64_t written = 0;    // inventories
    std::uint64_t confirmed = 0;  // reports that nothing changed, or asked for the inventory
    std::uint64_t failed = 0;     // could not be written
    std::uint64_t refused = 0;    // too many waiting, or refuse()
    std::size_t waiting = 0;      // not answered yet
  };
  Counts counts() const;

 private:
  // One of the two, and who waits for it.
  struct Waiting {
    std::optional<store::InventoryWrite> inventory;
    store::Confirmation confirmation;
    std::promise<Result<bool>> answer;
  };

  Result<bool> enqueue(Waiting waiting);
  Result<> admit() const;
  void answer(Waiting& waiting, Result<bool> answer);
  void run();
  std::vector<Waiting> next_batch();
  void write(std::vector<Waiting> batch);
  Result<std::vector<bool>> write_once(std::span<Waiting> batch);

  sql::Pool& pool_;
  std::function<void()> written_;
  store::KnownVersions known_;  // of the writing thread
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Waiting> queue_;
  std::size_t taken_ = 0;  // from it, and not answered yet
  std::string refusal_;
  Counts counts_;
  bool stopping_ = false;
  std::thread writer_;
};

}  // namespace tenken::pipeline
