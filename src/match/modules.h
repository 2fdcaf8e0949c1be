// rpm modules: a package of a module stream is compared only with builds of that stream.
//
// Rules: an update of AlmaLinux and its kin is a module build where its fixed version carries
// ".module" in its release; the stream is the installed package's modularity label
// "name:stream:version:context" and the row's "name:stream". A package that is no module build
// never matches a module build, nor the reverse. Source: modularity documentation of Fedora,
// "Modularity metadata in RPM".
//
// Thread rule: pure functions.
#pragma once

#include <string_view>

#include "advisories/entries.h"
#include "model/package.h"

namespace tenken::match {

bool is_module_build(std::string_view version);        // of an installed version or a fix
bool is_module_build(const advisories::RowView& row);  // some bound of its ranges is one
std::string_view stream_of_label(std::string_view modularity_label);  // "nodejs:18"; empty: none

enum class ModuleFit : std::uint8_t {
  fits,     // the same stream, or neither is a module build
  differs,  // another stream, or only one of them is a module build
  unclear,  // both are module builds and one does not say its stream
};
ModuleFit module_fit(const Package& package, const advisories::RowView& row);

}  // namespace tenken::match
