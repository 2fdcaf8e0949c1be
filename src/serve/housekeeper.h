// Housekeeper: what has to be done now and then, on two threads of its own. Each second it looks
// whether the store answers and whether there is room on its disk; each minute it writes down which
// keys were used, counts, and tidies up. What it finds heals by itself: when the cause is gone,
// everything is accepted again.
//
// Thread rule: start and stop from one thread, the rest from any.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "access/key_ring.h"
#include "base/time.h"
#include "pipeline/ingest.h"
#include "serve/log.h"
#include "sql/sql.h"
#include "store/figures.h"
#include "store/housekeeping.h"

namespace tenken::serve {

struct BackupRules {
  std::string directory;  // empty: none are made
  Seconds interval = 86'400;
  std::size_t keep = 7;
};

inline constexpr Seconds default_keep_audit = 400 * 86'400;

struct HousekeeperOptions {
  sql::Pool* pool = nullptr;
  access::KeyRing* keys = nullptr;
  pipeline::Ingest* ingest = nullptr;
  Log* log = nullptr;
  std::function<Seconds()> clock;
  std::string program;  // tenken itself, which makes backups
  std::string data_directory;
  std::uint64_t min_free_bytes = 0;  // below, inventories are refused; 0: never
  BackupRules backup;
  store::HousekeepingOptions retention;
  Seconds keep_audit = default_keep_audit;
};

class Housekeeper {
 public:
  static std::unique_ptr<Housekeeper> start(HousekeeperOptions options);
  virtual ~Housekeeper() = default;
  virtual void stop() = 0;

  // Why the store cannot be used; empty: it answers.
  virtual std::string store_fault() const = 0;
  struct Counted {
    store::Figures figures;
    Seconds at = 0;           // 0: not yet
    Seconds last_backup = 0;  // 0: none
    std::uint64_t free_bytes = 0;
  };
  virtual Counted counted() const = 0;
};

}  // namespace tenken::serve
