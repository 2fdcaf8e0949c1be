// What one source of facts gives: its items, and what of it could not be read.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/skip.h"

namespace tenken::host {

template <typename T>
struct Found {
  std::vector<T> items;
  std::vector<Skip> skips;
};

// Sorted, each once: the form of every list of facts.
template <typename T>
void sort_unique(std::vector<T>& list) {
  std::ranges::sort(list);
  const auto doubled = std::ranges::unique(list);
  list.erase(doubled.begin(), doubled.end());
}

// A skip for what could not be read, with the right that reading it takes where that is what lacks.
inline Skip not_read(std::string file, const Error& error, std::string_view right) {
  std::string reason = error.what;
  if (error.code == Errc::denied) reason.append(": needs ").append(right);
  return {.file = std::move(file), .record = {}, .reason = std::move(reason)};
}

}  // namespace tenken::host
