// opam (OCaml): Debian's order over the whole version, without epoch or revision (opam manual,
// "version ordering"). Versions may start with a letter: "v0.16.1".
#include "version/debian_text.h"
#include "version/key_bytes.h"
#include "version/scheme.h"

namespace tenken::version {
namespace opam_ {

Result<Key> encode(std::string_view version) {
  TRY_VOID(check_printable(version));
  Key key;
  key.reserve(2 * version.size() + 8);
  put_debian_text(key, version);
  return key;
}

}  // namespace opam_

extern constinit const Scheme opam{.id = "opam", .encode = opam_::encode};

}  // namespace tenken::version
