// Builder: takes the values of all feeds and composes one generation of the advisory database.
// The same values in the same order give the same bytes.
//
// Rules: scan-time semantics are those of match/; here records of one id are reduced to one (the
// newest `modified`; at a tie the copy published by the ecosystem it is about), versions become
// keys, aliases are resolved (advisories/aliases.h).
//
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "advisories/meta.h"
#include "base/result.h"
#include "model/advisory.h"
#include "model/skip.h"

namespace tenken::advisories {

// Where a value comes from.
struct Origin {
  std::string_view feed;            // "osv"
  std::string_view id_space;        // feeds whose equal ids are one record share it
  std::string_view path;            // file and member, for messages
  std::string_view home_ecosystem;  // of the archive the record lay in; empty: none
};

class Builder {
 public:
  Builder();
  ~Builder();

  void add(const Origin& origin, Advisory&& advisory);
  void add(const Origin& origin, VulnerabilityNote&& note);
  void add(const Origin& origin, Skip&& skip);
  void add_document(std::string_view feed, std::string_view bytes);  // counted and hashed
  void add_coverage(std::string_view feed, std::string_view ecosystem, std::string_view release,
                    bool partial);
  // A file of the feed could not be read whole: what it covers (of its home ecosystem; all of the
  // feed where that is empty) is covered in part only.
  void add_damage(std::string_view feed, std::string_view home_ecosystem);
  void set_fetched(std::string_view feed, Seconds time);
  void set_starter();

  // The file's bytes and what they say of themselves. limit: a section passes 4 GiB.
  struct Built {
    std::string bytes;
    Meta meta;
  };
  Result<Built> finish();

  struct State;  // of the source file

 private:
  std::unique_ptr<State> state_;
};

}  // namespace tenken::advisories
