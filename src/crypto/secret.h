// Secret: bytes that are wiped from memory when they are no longer needed, and that cannot be
// printed, compared or copied by accident.
//
// Thread rule: a value; functions are pure.
#pragma once

#include <string>
#include <string_view>

namespace tenken::crypto {

// Overwrites the bytes, also those between size and capacity, and empties the string.
void wipe(std::string& bytes);

// Takes as long for a difference in the first byte as in the last; the lengths are not secret.
bool equal_in_constant_time(std::string_view a, std::string_view b);

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view bytes) : bytes_(bytes) {}
  // A string that held a secret leaves a copy behind: it is taken over and wiped.
  explicit Secret(std::string&& bytes) : bytes_(bytes) { wipe(bytes); }
  Secret(Secret&& other) noexcept { bytes_.swap(other.bytes_); }
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(bytes_); }

  Secret copy() const { return Secret(std::string_view(bytes_)); }
  // The bytes, for as long as the object lives. A caller that copies them wipes the copy.
  std::string_view reveal() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }

 private:
  std::string bytes_;
};

}  // namespace tenken::crypto
