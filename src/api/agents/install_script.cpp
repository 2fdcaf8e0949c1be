#include "api/agents/install_script.h"

// The assembler puts the file into the read-only data.
asm(".pushsection .rodata\n"
    "tenken_install_script_begin: .incbin \"" TENKEN_INSTALL_SCRIPT
    "\"\n"
    "tenken_install_script_end:\n"
    ".popsection\n");

extern "C" {
extern const char tenken_install_script_begin[];
extern const char tenken_install_script_end[];
}

namespace tenken::api::agents {

std::string_view install_script() {
  return {tenken_install_script_begin, tenken_install_script_end};
}

}  // namespace tenken::api::agents
