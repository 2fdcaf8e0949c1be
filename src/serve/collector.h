// Collector: the threads that fetch the inventories of hosts over SSH, each by a process of its own
// (`tenken collect --save`), as their turns come. The key is DIR/ssh/id, else that of an ssh-agent;
// hosts are known by DIR/ssh/known_hosts alone. What did not come whole changes nothing but the
// target's last error.
//
// Thread rule: start and stop from one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/time.h"
#include "pipeline/ingest.h"
#include "serve/log.h"
#include "sql/sql.h"

namespace tenken::serve {

struct CollectorOptions {
  sql::Pool* pool = nullptr;
  pipeline::Ingest* ingest = nullptr;
  Log* log = nullptr;
  std::function<Seconds()> clock;
  std::string node;
  std::string program;  // tenken itself
  std::string data_directory;
  std::string region;
};

class Collector {
 public:
  static std::unique_ptr<Collector> start(CollectorOptions options);
  virtual ~Collector() = default;
  virtual void stop() = 0;
};

}  // namespace tenken::serve
