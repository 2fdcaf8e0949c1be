// Vectors: FIPS 180-4 examples, RFC 4231, RFC 5869, RFC 4648.
#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "crypto/encode.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "crypto/seal.h"
#include "crypto/secret.h"

namespace tenken::crypto {
namespace {

std::string sha256_hex(std::string_view bytes) {
  return to_hex(view(sha256(bytes)));
}

TEST(Sha256, AgreesWithThePublishedExamples) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, OfPiecesIsThatOfTheWholeAndBeginsAnewAfterwards) {
  Sha256 hash;
  for (int i = 0; i < 1000; ++i) hash.update(std::string(static_cast<std::size_t>(i), 'x'));
  EXPECT_EQ(hash.finish(), sha256(std::string(499'500, 'x')));
  hash.update("abc");
  EXPECT_EQ(hash.finish(), sha256("abc"));
  EXPECT_EQ(hash.finish(), sha256(""));
}

TEST(HmacSha256, AgreesWithRfc4231) {
  EXPECT_EQ(to_hex(view(hmac_sha256(std::string(20, '\x0b'), "Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(view(hmac_sha256("Jefe", "what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(view(hmac_sha256(std::string(131, '\xaa'),
                                    "Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HkdfSha256, AgreesWithRfc5869WhereItsFormIsTheSame) {
  // Test case 3 has no salt and no label; its first 32 bytes.
  EXPECT_EQ(to_hex(hkdf_sha256(Secret(std::string(22, '\x0b')), "").reveal()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

TEST(HkdfSha256, OfAnotherLabelIsAnotherKey) {
  const Secret master(std::string_view("master"));
  EXPECT_NE(hkdf_sha256(master, "a").reveal(), hkdf_sha256(master, "b").reveal());
}

TEST(Random, DiffersAndUsesTheWholeAlphabetEvenly) {
  EXPECT_NE(random_bytes(32), random_bytes(32));
  EXPECT_EQ(random_bytes(0), "");
  EXPECT_EQ(random_bytes(1000).size(), 1000U);
  std::map<char, int> count;
  for (const char c : random_text(30'000, "abc")) ++count[c];
  ASSERT_EQ(count.size(), 3U);
  for (const auto& [c, times] : count) {
    EXPECT_GT(times, 9'000) << c;  // 10,000 ± 12 standard deviations
    EXPECT_LT(times, 11'000) << c;
  }
}

TEST(Encode, HexIsReadInBothCasesAndNothingElse) {
  EXPECT_EQ(to_hex(std::string_view("\x00\x7f\xff", 3)), "007fff");
  EXPECT_EQ(from_hex("007FfF").value(), std::string_view("\x00\x7f\xff", 3));
  EXPECT_EQ(from_hex("").value(), "");
  for (const auto* bad : {"0", "0g", "0x00", " 00", "00\n"}) EXPECT_FALSE(from_hex(bad)) << bad;
}

TEST(Encode, Base64AgreesWithRfc4648) {
  const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"},
                                                       {"\xfb\xff", "+/8="}};
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(to_base64(bytes), text);
    EXPECT_EQ(from_base64(text).value(), bytes);
  }
  EXPECT_EQ(to_base64url("\xfb\xff"), "-_8");
  EXPECT_EQ(from_base64url("-_8").value(), "\xfb\xff");
}

TEST(Encode, Base64HasOneTextForOneValue) {
  for (const auto* bad : {"Zg", "Zg=", "Zg===", "====", "Z===", "Zh==", "Zm9=", "Zm9v\n", " Zm9v",
                          "Zm-v", "Zm9vYg==Zm9v", "Zg==Zg=="})
    EXPECT_FALSE(from_base64(bad)) << bad;
  for (const auto* bad : {"Zg==", "Z", "Zh", "Zm9", "Zm+v"})
    EXPECT_FALSE(from_base64url(bad)) << bad;
}

TEST(Seal, OpensWithTheSameKeyAndAssociatedDataOnly) {
  const Secret key(random_bytes(32));
  for (const auto size : {0U, 1U, 40U, 5000U}) {
    const auto value = random_bytes(size);
    const auto sealed = seal(key, value, "row 1");
    EXPECT_EQ(sealed.size(), size + 29);
    EXPECT_NE(sealed, seal(key, value, "row 1")) << "the nonce is random";
    EXPECT_EQ(open(key, sealed, "row 1").value().reveal(), value);
    EXPECT_FALSE(open(key, sealed, "row 2"));
    EXPECT_FALSE(open(key, sealed, ""));
    EXPECT_FALSE(open(Secret(random_bytes(32)), sealed, "row 1"));
  }
}

TEST(Seal, RefusesEveryChangedOrMissingByte) {
  const Secret key(random_bytes(32));
  const auto sealed = seal(key, "value", "");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(open(key, changed, "")) << i;
    EXPECT_FALSE(open(key, sealed.substr(0, i), "")) << i;
  }
  EXPECT_FALSE(open(key, sealed + "x", ""));
}

TEST(Secret, LeavesNothingBehindWhereItWas) {
  std::string source = "short";
  Secret first(std::move(source));
  EXPECT_TRUE(source.empty());
  EXPECT_EQ(std::string_view(source.data(), 5), std::string_view("\0\0\0\0\0", 5));
  Secret second(std::move(first));
  EXPECT_TRUE(first.empty());
  EXPECT_EQ(second.reveal(), "short");
  first = second.copy();
  EXPECT_EQ(first.reveal(), "short");
}

TEST(EqualInConstantTime, ComparesBytes) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("ab", "ab"));
  EXPECT_FALSE(equal_in_constant_time("ab", "ac"));
  EXPECT_FALSE(equal_in_constant_time("ab", "abc"));
}

}  // namespace
}  // namespace tenken::crypto
