// The database file is hostile too: whatever its bytes, opening and reading end in values or
// errors. The checksums are put right first, so that damage reaches the entries behind them.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "advisories/block_file.h"
#include "advisories/database.h"
#include "advisories/entries.h"

using tenken::advisories::Database;

namespace {

// Sections as the input gives them: a byte for the section, two for the size, then its bytes.
std::string compose(std::string_view input) {
  std::array<std::string, tenken::advisories::section_count> sections;
  while (input.size() >= 3) {
    auto& section = sections[static_cast<unsigned char>(input[0]) % sections.size()];
    const auto size = static_cast<std::size_t>(static_cast<unsigned char>(input[1]) | static_cast<unsigned char>(input[2]) << 8);
    input.remove_prefix(3);
    section += input.substr(0, size);
    input.remove_prefix(std::min(size, input.size()));
  }
  return tenken::advisories::compose_block_file(sections);
}

void read_everything(const Database& database) {
  (void)database.verify();
  (void)database.find_record("CVE-2020-0001");
  (void)database.find_vulnerability("CVE-2020-0001");
  for (std::uint32_t i = 0; i < database.partition_count(); ++i) {
    const auto partition = database.partition(i);
    if (partition) (void)database.rows(partition->ecosystem, partition->release, "a");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  (void)tenken::advisories::unpack_rows(input);
  (void)tenken::advisories::unpack_record(input);
  (void)tenken::advisories::unpack_vulnerability(input);
  (void)tenken::advisories::unpack_document(input);
  (void)tenken::advisories::unpack_meta(input);
  static const std::string path = "/proc/self/fd/" + std::to_string(::memfd_create("database", 0));
  static const int fd = ::open(path.c_str(), O_RDWR);
  const bool raw = !input.empty() && input[0] == 'R';
  const std::string bytes = raw ? std::string(input.substr(1)) : compose(input);
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, bytes.data(), bytes.size(), 0) < 0) return 0;
  const auto database = Database::open(path);
  if (database) read_everything(*database);
  return 0;
}
