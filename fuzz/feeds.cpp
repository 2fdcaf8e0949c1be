// Every feed's parser and its following of links. The first line names the feed, so that seeds
// stay what they are when feeds are added; where it names none, its first byte chooses one.
// The same bytes twice must give the same records, skips and releases.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "feeds/feed.h"

namespace {

class Count : public tenken::feeds::Sink {
 public:
  void advisory(tenken::Advisory&& advisory) override {
    ++records_;
    rows_ += advisory.affected.size();
  }
  void note(tenken::VulnerabilityNote&& note) override {
    ++records_;
    rows_ += note.references.size();
  }
  void skip(tenken::Skip skip) override {
    ++skips_;
    if (skip.reason.empty()) std::abort();
  }
  void covers(std::string_view ecosystem, std::string_view release) override {
    ++covers_;
    rows_ += ecosystem.size() + release.size();
  }
  bool operator==(const Count& other) const {
    return records_ == other.records_ && rows_ == other.rows_ && skips_ == other.skips_ &&
           covers_ == other.covers_;
  }

 private:
  std::size_t records_ = 0;
  std::size_t rows_ = 0;
  std::size_t skips_ = 0;
  std::size_t covers_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto [id, bytes] = tenken::split_once(text, '\n');
  if (!bytes) return 0;
  const auto* feed = tenken::feeds::find_feed(id);
  if (feed == nullptr) feed = tenken::feeds::feeds()[data[0] % tenken::feeds::feeds().size()];

  const tenken::feeds::Document document{"osv/Debian/all.zip/x.json", *bytes};
  Count first;
  Count second;
  const bool readable = feed->parse(document, first).has_value();
  if (readable != feed->parse(document, second).has_value() || !(first == second)) std::abort();
  if (feed->fetching.next != nullptr) feed->fetching.next(feed->fetching.start[0], *bytes);
  return 0;
}
