#include "findings/yaml_events.h"

#include <optional>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "base/text.h"

namespace tenken::findings {
namespace {

constexpr std::size_t limit_bytes = std::size_t{1} << 20;
constexpr std::size_t limit_events = 200'000;
constexpr std::size_t limit_depth = 16;

std::size_t line_of(const YAML::Mark& mark) {
  return mark.line < 0 ? 0 : static_cast<std::size_t>(mark.line) + 1;
}

// Keeps the first fault and ignores what follows: the library offers no way to stop but a throw.
class Collector : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) fail(mark, "more than one document");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(mark, "", anchor, {YamlEvent::Kind::null, line_of(mark), ""});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { fail(mark, "an alias"); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    add(mark, tag, anchor, {YamlEvent::Kind::scalar, line_of(mark), value});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlEvent::Kind::sequence);
  }
  void OnSequenceEnd() override { close(YamlEvent::Kind::sequence_end); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlEvent::Kind::map);
  }
  void OnMapEnd() override { close(YamlEvent::Kind::map_end); }

  bool failed() const { return fault_.has_value(); }
  Result<std::vector<YamlEvent>> take() {
    if (fault_) return *fault_;
    return std::move(events_);
  }

 private:
  void fail(const YAML::Mark& mark, std::string_view what) {
    if (!fault_) fault_ = invalid(fmt::format("line {}: {} is not accepted", line_of(mark), what));
  }
  void add(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlEvent event) {
    if (anchor != YAML::NullAnchor) return fail(mark, "an anchor");
    // "?" and "!" are what the library says of untagged plain and quoted scalars.
    if (!tag.empty() && tag != "?" && tag != "!") return fail(mark, "a tag");
    if (events_.size() >= limit_events) return fail(mark, "so long a document");
    if (!fault_) events_.push_back(std::move(event));
  }
  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YamlEvent::Kind kind) {
    if (++depth_ > limit_depth) return fail(mark, "so deep a nesting");
    add(mark, tag, anchor, {kind, line_of(mark), ""});
  }
  void close(YamlEvent::Kind kind) {
    --depth_;
    if (!fault_) events_.push_back({kind, 0, ""});
  }

  std::vector<YamlEvent> events_;
  std::optional<Error> fault_;
  std::size_t documents_ = 0;
  std::size_t depth_ = 0;
};

}  // namespace

Result<std::vector<YamlEvent>> yaml_events(std::string_view text) {
  if (text.size() > limit_bytes)
    return limit_exceeded(fmt::format("{} bytes, at most {} are read", text.size(), limit_bytes));
  if (text.contains('\0') || valid_utf8(text) != text) return invalid("not UTF-8 text");
  Collector collector;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    // Text that begins with "," makes the library hand out empty documents for ever.
    while (!collector.failed() && parser.HandleNextDocument(collector)) {
    }
  } catch (const YAML::Exception& e) {
    return invalid(fmt::format("line {}: {}", line_of(e.mark), e.msg));
  }
  return collector.take();
}

}  // namespace tenken::findings
