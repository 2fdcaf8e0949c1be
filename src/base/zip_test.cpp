#include "base/zip.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/archive.h"
#include "support/scratch.h"
#include "support/zip_case.h"

namespace tenken {
namespace {

using test::zip;
using test::ZipMember;

// "name=content" of each regular member, or "name: fault".
Result<std::vector<std::string>> contents(std::string_view bytes, std::size_t limit = 1 << 20) {
  std::vector<std::string> out;
  TRY(auto reader, ZipReader::open(bytes));
  for (;;) {
    TRY(const auto member, reader.next());
    if (!member) return out;
    if (!member->regular) continue;
    const auto content = reader.unpack(*member, limit);
    out.push_back(std::string(member->name) +
                  (content ? "=" + std::string(*content) : ": " + content.error().what));
  }
}

using Contents = std::vector<std::string>;

TEST(Zip, stored_and_deflated_members_come_in_the_order_of_the_directory) {
  const std::string text(3000, 'x');
  const std::vector<ZipMember> members{{.name = "b", .content = "stored"},
                                       {.name = "a", .content = text, .deflate = true},
                                       {.name = "e"}};
  const Contents expected{"b=stored", "a=" + text, "e="};
  EXPECT_EQ(contents(zip(members)).value(), expected);
  EXPECT_EQ(contents(zip(members, true)).value(), expected);
  EXPECT_EQ(contents(zip(members, false, "a comment PK\x05\x06 of the archive")).value(), expected);
  EXPECT_TRUE(contents(zip({})).value().empty());
}

TEST(Zip, only_regular_files_are_handed_out) {
  const std::vector<ZipMember> members{{.name = "d/", .mode = 0040755},
                                       {.name = "link", .content = "target", .mode = 0120777},
                                       {.name = "f", .content = "1"},
                                       {.name = "no-mode", .content = "2", .mode = 0}};
  EXPECT_EQ(contents(zip(members)).value(), (Contents{"f=1", "no-mode=2"}));
}

TEST(Zip, a_member_that_cannot_be_unpacked_is_a_fault_and_the_rest_goes_on) {
  const std::vector<ZipMember> members{
      {.name = "secret", .content = "1", .flags = 1},
      {.name = "bzip2", .content = "1", .method = 12},
      {.name = "renamed", .content = "1", .local_name = "another"},
      {.name = "longer", .content = std::string(100, 'x'), .deflate = true, .stated_size = 99},
      {.name = "shorter", .content = std::string(100, 'x'), .deflate = true, .stated_size = 101},
      {.name = "bomb", .content = "x", .deflate = true, .stated_size = 1 << 19},
      {.name = "great", .content = "x", .deflate = true, .stated_size = 1 << 21},
      {.name = "good", .content = "1"}};
  EXPECT_EQ(contents(zip(members)).value(),
            (Contents{"secret: encrypted", "bzip2: packed by method 12, which is not read",
                      "renamed: its local header has another name",
                      "longer: corrupt, or longer than its stated size",
                      "shorter: not of its stated size", "bomb: shorter than its stated size",
                      "great: more than 1048576 bytes unpacked", "good=1"}));
}

TEST(Zip, every_flipped_byte_and_every_cut_ends_in_an_error_or_in_the_same_contents) {
  for (const bool zip64 : {false, true}) {
    const auto good = zip({{.name = "a", .content = "some content"},
                           {.name = "b", .content = std::string(200, 'y'), .deflate = true}},
                          zip64);
    const auto expected = contents(good).value();
    for (std::size_t cut = 0; cut < good.size(); ++cut)
      EXPECT_FALSE(contents(std::string(good, 0, cut))) << cut;
    for (std::size_t at = 0; at < good.size(); ++at) {
      for (const unsigned bit : {0U, 3U, 7U}) {
        auto bad = good;
        bad[at] = static_cast<char>(static_cast<unsigned char>(bad[at]) ^ (1U << bit));
        const auto got = contents(bad);
        if (!got) continue;
        for (const auto& one : *got) {
          // A name or a type may have changed; bytes may not.
          const auto content = one.find('=');
          if (content == std::string::npos) continue;
          EXPECT_TRUE(one.ends_with("=some content") || one.ends_with("=" + std::string(200, 'y')))
              << at << " " << one;
        }
      }
    }
  }
}

TEST(Zip, an_archive_on_disk_is_walked_within_its_limits) {
  const test::Scratch scratch;
  scratch.write("all.zip", zip({{.name = "bad", .content = "1", .flags = 1},
                                {.name = "a", .content = "12"},
                                {.name = "b", .content = "34"}}));
  scratch.write("empty.zip", "");
  std::string seen;
  const auto walk = [&](const std::string& name, const ArchiveLimits& limits) {
    seen.clear();
    return for_each_member(
        scratch / name, limits, [](std::string_view) { return true; },
        [&](std::string_view member, std::string_view bytes) -> Result<> {
          seen += std::string(member) + std::string(bytes);
          return {};
        });
  };
  EXPECT_EQ(walk("all.zip", {}).error().what, "bad: encrypted");
  EXPECT_EQ(seen, "a12b34");
  EXPECT_EQ(walk("all.zip", {.members = 2}).error().code, Errc::limit);
  EXPECT_EQ(walk("all.zip", {.total_bytes = 3}).error().code, Errc::limit);
  EXPECT_EQ(walk("all.zip", {.member_bytes = 1}).error().what, "bad: encrypted");
  EXPECT_EQ(seen, "");
  EXPECT_EQ(walk("empty.zip", {}).error().code, Errc::invalid);
}

}  // namespace
}  // namespace tenken
