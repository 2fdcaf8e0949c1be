#include "base/compress.h"

#include <gtest/gtest.h>

namespace tenken {
namespace {

TEST(Compress, GivesBackWhatWasPacked) {
  for (const auto& text :
       {std::string(), std::string("a"), std::string(1'000'000, 'x'), std::string("\0\xff\n", 3)}) {
    const auto packed = pack(text);
    EXPECT_EQ(unpack(packed, text.size()).value(), text);
  }
  EXPECT_LT(pack(std::string(1'000'000, 'x')).size(), 1'000U);
}

TEST(Compress, HoldsItsLimit) {
  EXPECT_EQ(unpack(pack(std::string(1'000, 'x')), 999).error().code, Errc::limit);
}

TEST(Compress, RefusesWhatIsDamaged) {
  const auto packed = pack("the quick brown fox jumps over the lazy dog, twice over");
  for (std::size_t length = 0; length < packed.size(); ++length)
    EXPECT_EQ(unpack(packed.substr(0, length), 1'000).error().code, Errc::invalid) << length;
  EXPECT_EQ(unpack("no frame at all", 1'000).error().code, Errc::invalid);
}

}  // namespace
}  // namespace tenken
