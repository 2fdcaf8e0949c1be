// Result<T>: the one way a function of tenken reports a fault of the outside world (bytes, files,
// network, users). Our own bugs are CHECKs. Nothing of ours throws.
//
// Thread rule: values, no shared state.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace tenken {

// HTTP status, exit code and retry are each mapped once from these.
enum class Errc {
  invalid,  // the bytes or arguments are wrong
  limit,    // a bound on size, depth or ratio was exceeded
  not_found,
  denied,  // permission
  conflict,
  unavailable,  // may work later: network, lock, disk full
  internal,
};

std::string_view name(Errc code);

struct Error {
  Errc code = Errc::internal;
  std::string what;

  // Adds where it happened, outermost first: "status: package 17: version is empty".
  Error within(std::string_view where) const&;
  Error within(std::string_view where) &&;
};

template <typename T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
  Result(Error error) : std::expected<T, Error>(std::unexpect, std::move(error)) {}

  Result within(std::string_view where) && {
    if (!this->has_value()) return std::move(this->error()).within(where);
    return std::move(*this);
  }
};

Error invalid(std::string what);
Error limit_exceeded(std::string what);
Error not_found(std::string what);
Error unavailable(std::string what);
// From errno: ENOENT is not_found, EACCES denied, ENOSPC unavailable and so on.
Error from_errno(int errno_value, std::string_view what);

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace tenken

#define TENKEN_CONCAT_(a, b) a##b
#define TENKEN_CONCAT(a, b) TENKEN_CONCAT_(a, b)
#define TENKEN_TRY_(tmp, declaration, ...)                              \
  auto tmp = (__VA_ARGS__);                                             \
  if (!tmp.has_value()) return std::move(tmp).error();                  \
  declaration = *std::move(tmp)

// TRY(const auto x, f()): x is the value of f(), or the error is returned. Several statements:
// always inside braces.
#define TRY(declaration, ...) \
  TENKEN_TRY_(TENKEN_CONCAT(try_, __COUNTER__), declaration, __VA_ARGS__)
// TRY_VOID(f()): the same for a function without a value.
#define TRY_VOID(...)                                                               \
  do {                                                                              \
    auto try_void = (__VA_ARGS__);                                                  \
    if (!try_void.has_value()) return std::move(try_void).error();                  \
  } while (false)

// CHECK states what only a bug of ours can break; it is never reachable from input.
#define CHECK(expression) \
  ((expression) ? void(0) : ::tenken::check_failed(#expression, __FILE__, __LINE__))
