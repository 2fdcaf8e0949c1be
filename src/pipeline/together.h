// Work for several in one transaction, and where that fails one by one, so that one that is at
// fault takes no other with it. Where the store is at fault (unavailable), all are told at once.
//
// Thread rule: functions, no state.
#pragma once

#include <cstddef>
#include <span>

#include "base/result.h"

namespace tenken::pipeline {

// work(part) does it for a part of the batch, wholly or not at all, and returns a Result;
// tell(part, result) is called for each part that was done, or given up.
template <typename Item, typename Work, typename Tell>
void together_or_alone(std::span<Item> batch, Work work, Tell tell) {
  const auto together = work(batch);
  if (together || batch.size() == 1 || together.error().code == Errc::unavailable)
    return tell(batch, together);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto one = batch.subspan(i, 1);
    tell(one, work(one));
  }
}

}  // namespace tenken::pipeline
