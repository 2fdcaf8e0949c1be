#include "base/cursor.h"

#include <fmt/format.h>

namespace tenken {

Error Cursor::short_read(std::size_t wanted) const {
  return invalid(
      fmt::format("{} bytes wanted at offset {}, {} remain", wanted, offset_, remaining()));
}

}  // namespace tenken
