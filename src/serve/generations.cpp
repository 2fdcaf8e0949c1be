#include "serve/generations.h"

#include <cerrno>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/time.h"
#include "pipeline/database_location.h"

namespace tenken::serve {
namespace {

constexpr std::size_t earlier_kept = 2;

Result<advisories::Database> open_whole(const std::string& file) {
  TRY(auto opened, advisories::Database::open(file));
  TRY_VOID(opened.verify());
  return opened;
}

}  // namespace

Generations::Generations(std::string path, std::string copies)
    : path_(std::move(path)), copies_(std::move(copies)) {}

Result<Generations::Stamp> Generations::stamp_of(const std::string& file) {
  struct stat facts{};
  if (::stat(file.c_str(), &facts) != 0) return from_errno(errno, file);
  return Stamp{.device = facts.st_dev,
               .inode = facts.st_ino,
               .size = facts.st_size,
               .modified_ns = facts.st_mtim.tv_sec * 1'000'000'000 + facts.st_mtim.tv_nsec};
}

Result<bool> Generations::look() {
  auto looked = look_at_file();
  if (looked || copies_.empty() || current() != nullptr) return looked;
  if (std::exchange(kept_copy_was_tried_, true)) return looked;
  auto kept = open_whole(pipeline::database_path(copies_));
  if (!kept) return looked;
  return take(*std::move(kept));  // what is wrong with the file, the next look says
}

Result<bool> Generations::look_at_file() {
  TRY(const auto stamp, stamp_of(path_));
  const bool rested = stamp == seen_;
  seen_ = stamp;
  if (stamp == used_) return false;
  if (stamp == faulty_) return fault_;
  // Whoever is writing it may have the rest still to write.
  if (!copies_.empty() && current() != nullptr && !rested) return false;
  auto opened = open();
  if (!opened && opened.error().code == Errc::invalid) {
    faulty_ = stamp;
    fault_ = opened.error();
  }
  if (!opened) return std::move(opened).error();
  used_ = stamp;
  return take(*std::move(opened));
}

bool Generations::take(advisories::Database opened) {
  auto fresh = std::make_shared<const advisories::Database>(std::move(opened));
  const std::lock_guard lock(mutex_);
  if (current_ != nullptr && current_->generation() == fresh->generation()) return false;
  if (current_ != nullptr) earlier_.push_back(current_);
  if (earlier_.size() > earlier_kept) earlier_.erase(earlier_.begin());
  current_ = std::move(fresh);
  return true;
}

Result<advisories::Database> Generations::open() const {
  if (copies_.empty()) return advisories::Database::open(path_);
  TRY_VOID(pipeline::make_directories(copies_));
  const auto copy = copies_ + "/incoming.db";
  std::error_code error;
  std::filesystem::copy_file(path_, copy, std::filesystem::copy_options::overwrite_existing, error);
  if (error) return from_errno(error.value(), copy);
  std::string generation;
  {
    TRY(const auto opened, open_whole(copy).within(path_));
    generation = opened.generation();
  }
  TRY(const auto published, pipeline::publish(copies_, copy, generation));
  return advisories::Database::open(published);
}

std::shared_ptr<const advisories::Database> Generations::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

std::shared_ptr<const advisories::Database> Generations::find(const std::string& generation) const {
  {
    const std::lock_guard lock(mutex_);
    if (current_ != nullptr && current_->generation() == generation) return current_;
    for (const auto& one : earlier_) {
      if (one->generation() == generation) return one;
    }
  }
  const auto directory =
      copies_.empty() ? std::filesystem::path(path_).parent_path() : std::filesystem::path(copies_);
  const auto beside = directory / fmt::format("advisories-{}.db", generation);
  auto opened = advisories::Database::open(beside.string());
  if (!opened || opened->generation() != generation) return nullptr;
  return std::make_shared<const advisories::Database>(*std::move(opened));
}

std::string why_doubtful(const advisories::Database& before, const advisories::Database& after) {
  const auto& was = before.meta();
  const auto& is = after.meta();
  if (is.newest_record < was.newest_record)
    return fmt::format("its newest record is of {}, that before had one of {}",
                       format_time(is.newest_record), format_time(was.newest_record));
  // Records are withdrawn now and then; a tenth is a feed that failed.
  if (is.records < was.records - was.records / 10)
    return fmt::format("{} records, that before had {}", is.records, was.records);
  return {};
}

}  // namespace tenken::serve
