// Skip: a record or entry that could not be read, where it stands and why. Skips are counted and
// shown; they never disappear.
#pragma once

#include <string>

namespace tenken {

struct Skip {
  std::string file;    // file or archive member
  std::string record;  // id or position inside the file; may be empty
  std::string reason;
  // Of a package database: the one package that the record is of. Empty: it may be any, or several.
  std::string package = {};
  // Its kind, as Package::kind; empty: it may be of any.
  std::string package_kind = {};
  // The file may be one that is being written right now: read again, it may be whole. It is said of
  // this reading, and does not travel.
  bool may_pass = false;
};

}  // namespace tenken
