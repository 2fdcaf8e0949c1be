#include "api/embedded_models.h"

// The assembler puts the files into the read-only data; TENKEN_MODEL_DIR is models/ beside this.
asm(".pushsection .rodata\n"
    "tenken_inspector2_begin: .incbin \"" TENKEN_MODEL_DIR
    "/inspector2.json\"\n"
    "tenken_inspector2_end:\n"
    "tenken_inspector_scan_begin: .incbin \"" TENKEN_MODEL_DIR
    "/inspector-scan.json\"\n"
    "tenken_inspector_scan_end:\n"
    ".popsection\n");

extern "C" {
extern const char tenken_inspector2_begin[];
extern const char tenken_inspector2_end[];
extern const char tenken_inspector_scan_begin[];
extern const char tenken_inspector_scan_end[];
}

namespace tenken::api {

std::string_view inspector2_json() {
  return {tenken_inspector2_begin, tenken_inspector2_end};
}

std::string_view inspector_scan_json() {
  return {tenken_inspector_scan_begin, tenken_inspector_scan_end};
}

}  // namespace tenken::api
