#include "fetch/directory.h"

#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "fetch/retry.h"
#include "fetch/url.h"

namespace tenken::fetch {
namespace {

class DirectoryReader final : public Transport {
 public:
  explicit DirectoryReader(std::string root) : root_(std::move(root)) {}
  Result<Response> get(const Request& request, Body& body) override;

 private:
  std::string root_;
};

Result<Response> DirectoryReader::get(const Request& request, Body& body) {
  TRY(const auto url, parse_url(request.url));
  TRY(const auto below, mirror_path(url));
  const auto path = fmt::format("{}/{}", root_, below);
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid() && (errno == ENOENT || errno == ENOTDIR)) return Response{.status = 404};
  if (!fd.valid()) return from_errno(errno, path);
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return from_errno(errno, path);
  if (!S_ISREG(status.st_mode)) return Response{.status = 404};
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > request.limit_bytes)
    return limit_exceeded(fmt::format("more than {} bytes", request.limit_bytes));

  Response response{
      .status = 200,
      .etag = fmt::format("\"{}-{}.{:09}\"", size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec),
      .last_modified = format_http_date(status.st_mtim.tv_sec),
      .length = size};
  if (response.etag == request.etag) {
    response.status = 304;
    return response;
  }
  TRY_VOID(body.begin(response));
  std::vector<char> buffer(std::size_t{1} << 16);
  while (response.bytes < size) {
    const auto count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return from_errno(errno, path);
    if (count == 0) return unavailable(fmt::format("{}: shorter than its size", path));
    const auto bytes = std::string_view(buffer.data(), static_cast<std::size_t>(count));
    response.bytes += bytes.size();
    TRY_VOID(body.write(bytes));
  }
  return response;
}

}  // namespace

Result<std::unique_ptr<Transport>> directory_reader(std::string root) {
  struct stat status{};
  if (::stat(root.c_str(), &status) != 0) return from_errno(errno, root);
  if (!S_ISDIR(status.st_mode)) return not_found(fmt::format("{}: no directory", root));
  return std::make_unique<DirectoryReader>(std::move(root));
}

}  // namespace tenken::fetch
