#include "store/resource_facts.h"

#include <gtest/gtest.h>

namespace tenken::store {
namespace {

constexpr std::string_view account = "111122223333";

struct Name {
  std::string registry;
  std::string repository;
  std::string hash;
  friend bool operator==(const Name&, const Name&) = default;
  friend void PrintTo(const Name& one, std::ostream* out) {
    *out << one.registry << " " << one.repository << " " << one.hash;
  }
};
Name name_of(std::string_view id) {
  auto facts = facts_of("AWS_ECR_CONTAINER_IMAGE", account, id, "{}");
  return {facts.registry, facts.repository, facts.image_hash};
}

TEST(ResourceFacts, names_of_images_are_read_as_docker_does) {
  const std::string own(account);
  const auto hash = "sha256:" + std::string(64, 'a');
  EXPECT_EQ(name_of("registry.example/shop:1.4"), (Name{"registry.example", "shop", ""}));
  EXPECT_EQ(name_of("registry.example/shop:1.4@" + hash), (Name{"registry.example", "shop", hash}));
  EXPECT_EQ(name_of("registry.example/a/shop@" + hash), (Name{"registry.example", "a/shop", hash}));
  EXPECT_EQ(name_of("localhost:5000/shop"), (Name{"localhost:5000", "shop", ""}));
  EXPECT_EQ(name_of("localhost/shop:1"), (Name{"localhost", "shop", ""}));
  EXPECT_EQ(name_of("build:5000/a/shop:1"), (Name{"build:5000", "a/shop", ""}));
  EXPECT_EQ(name_of("zeta/app:latest"), (Name{own, "zeta/app", ""}));
  EXPECT_EQ(name_of("shop:1.4"), (Name{own, "shop", ""}));
  EXPECT_EQ(name_of("shop"), (Name{own, "shop", ""}));
  EXPECT_EQ(name_of("arn:aws:ecr:us-east-1:111122223333:repository/a.b/c/" + hash),
            (Name{own, "a.b/c", hash}));
}

TEST(ResourceFacts, what_names_no_image_gives_none) {
  const auto hash = "sha256:" + std::string(64, 'a');
  for (const auto& id :
       {hash, "@" + hash, "registry.example/@" + hash, std::string("r.x/:1"), std::string("r.x/"),
        std::string("docker://alpine:3.19"), std::string("docker-archive:/tmp/x.tar"),
        std::string("arn:aws:ecs:us-east-1:111122223333:task/a"), std::string()})
    EXPECT_EQ(name_of(id), Name()) << id;
  EXPECT_EQ(facts_of("AWS_EC2_INSTANCE", account, "r.x/shop:1", "{}"), ResourceFacts());
}

}  // namespace
}  // namespace tenken::store
