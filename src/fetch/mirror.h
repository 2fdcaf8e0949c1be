// Mirror: the local tree of what was downloaded, "<root>/<host>/<path>" as the upstream URL says,
// so that a tree made by other means (rsync, wget -x, a disk carried in) works as well.
//
// What tenken itself must remember lies in "<root>/.fetch/", in the same shape: "<path>.state" (a
// State as JSON) beside the document's, and "<path>.part" with its own state for a download that is
// not complete. A reader of the tree skips that directory. Documents appear by rename: a reader
// sees the old or the new one, whole.
//
// Thread rule: one Mirror per feed and thread; the lock of a feed keeps a second process out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/progress.h"
#include "base/result.h"
#include "base/time.h"
#include "fetch/transport.h"

namespace tenken::fetch {

// What is known of a document on disk.
struct State {
  std::string url;
  std::string etag;
  std::string last_modified;  // as upstream wrote it
  Seconds fetched_at = 0;     // when these bytes arrived
  Seconds checked_at = 0;     // when upstream last said that they are current
  std::uint64_t size = 0;     // bytes on disk; another size there means that the state is void
};
std::string write_state(const State& state);
Result<State> read_state(std::string_view json);

// The paths of one document.
struct Entry {
  std::string url;
  std::string label;  // short, for people
  std::string document;
  std::string state;
  std::string part;
  std::string part_state;
};

class Mirror {
 public:
  explicit Mirror(std::string root) : root_(std::move(root)) {}

  // The open file whose life is the lock's. Errors: conflict where another process has it.
  Result<Fd> lock(std::string_view feed) const;

  // Errors: invalid (a URL that maps to no safe path).
  Result<Entry> entry(std::string_view url) const;

  // The state of the document if it lies there with the size its state says.
  std::optional<State> state_of(const Entry& entry) const;
  Result<> touch(const Entry& entry, State state, Seconds checked_at) const;

  // The unfinished download, with its size on disk as `size`, if it can be continued.
  std::optional<State> part_of(const Entry& entry) const;
  void discard_part(const Entry& entry) const;

  // Puts the finished part in the document's place. True: its bytes differ from what lay there.
  Result<bool> accept(const Entry& entry, State state) const;

  // Removes the documents with this suffix from the directory of the entry, and their states.
  Result<> remove_siblings(const Entry& entry, std::string_view suffix) const;
  std::size_t count_siblings(const Entry& entry, std::string_view suffix) const;

 private:
  std::string root_;
};

// Writes a download into an entry's part, continuing it where the answer is a 206.
class PartFile final : public Body {
 public:
  // progress may be null.
  PartFile(const Mirror& mirror, const Entry& entry, Seconds now, Progress* progress)
      : mirror_(mirror), entry_(entry), now_(now), progress_(progress) {}
  Result<> begin(const Response& head) override;
  Result<> write(std::string_view bytes) override;
  // Syncs the file and gives its state.
  Result<State> finish();
  std::uint64_t received() const { return received_; }

 private:
  const Mirror& mirror_;
  const Entry& entry_;
  Seconds now_;
  Progress* progress_;
  std::uint64_t received_ = 0;
  Fd fd_;
  State state_;
};

}  // namespace tenken::fetch
