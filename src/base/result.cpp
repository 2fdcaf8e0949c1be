#include "base/result.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

namespace tenken {

std::string_view name(Errc code) {
  switch (code) {
    case Errc::invalid:
      return "invalid";
    case Errc::limit:
      return "limit";
    case Errc::not_found:
      return "not_found";
    case Errc::denied:
      return "denied";
    case Errc::conflict:
      return "conflict";
    case Errc::unavailable:
      return "unavailable";
    case Errc::internal:
      return "internal";
  }
  return "internal";
}

Error Error::within(std::string_view where) const& {
  return Error{code, fmt::format("{}: {}", where, what)};
}
Error Error::within(std::string_view where) && {
  what = fmt::format("{}: {}", where, what);
  return std::move(*this);
}

Error invalid(std::string what) {
  return {Errc::invalid, std::move(what)};
}
Error limit_exceeded(std::string what) {
  return {Errc::limit, std::move(what)};
}
Error not_found(std::string what) {
  return {Errc::not_found, std::move(what)};
}
Error unavailable(std::string what) {
  return {Errc::unavailable, std::move(what)};
}

Error from_errno(int errno_value, std::string_view what) {
  const auto code = [&] {
    switch (errno_value) {
      case ENOENT:
      case ENOTDIR:
      case ESRCH:
        return Errc::not_found;
      case EACCES:
      case EPERM:
      case EROFS:
        return Errc::denied;
      case ENOSPC:
      case EDQUOT:
      case EAGAIN:
      case EIO:
        return Errc::unavailable;
      case EFBIG:
      case ENAMETOOLONG:
        return Errc::limit;
      case EEXIST:
        return Errc::conflict;
      default:
        return Errc::invalid;
    }
  }();
  return {code, fmt::format("{}: {}", what, std::strerror(errno_value))};
}

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, expression);
  std::abort();
}

}  // namespace tenken
