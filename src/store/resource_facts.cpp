#include "store/resource_facts.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"

namespace tenken::store {
namespace {

constexpr std::string_view hash_start = "sha256:";
constexpr std::string_view repository_start = ":repository/";

bool is_registry(std::string_view host) {
  const auto [name, port] = split_once(host, ':');
  const bool has_port = port && parse_uint(*port);
  return !name.empty() && (!port || has_port) &&
         (has_port || name.contains('.') || name == "localhost");
}
// "docker://alpine", "docker-archive:/tmp/x.tar", an ARN of something else.
bool is_other_reference(std::string_view id) {
  return id.contains(":/") || (id.starts_with("arn:") && !id.contains(repository_start));
}

void read_image_name(ResourceFacts& out, std::string_view account, std::string_view id) {
  if (is_other_reference(id)) return;
  const auto at = std::min(id.find(hash_start), id.size());
  const bool has_hash = at < id.size();
  if (has_hash && at < 2) return;
  std::string_view registry = account;
  auto repository = id.substr(0, has_hash ? at - 1 : at);
  const auto slash = repository.find('/');
  if (const auto start = repository.find(repository_start); start != std::string_view::npos) {
    repository.remove_prefix(start + repository_start.size());
  } else if (slash != std::string_view::npos && is_registry(repository.substr(0, slash))) {
    registry = repository.substr(0, slash);
    repository.remove_prefix(slash + 1);
  }
  repository = repository.substr(0, repository.find(':'));  // without the tag
  if (repository.empty()) return;
  out.repository = repository;
  out.registry = registry;
  out.image_hash = id.substr(at);
}

// PostgreSQL keeps no text with a zero byte.
std::string text_of(json::Value value) {
  const auto text = value.string();
  return text.contains('\0') ? std::string() : std::string(text);
}

std::string registry_architecture(std::string architecture) {
  if (architecture == "x86_64") return "amd64";
  if (architecture == "aarch64") return "arm64";
  return architecture;
}

}  // namespace

ResourceFacts facts_of(std::string_view type, std::string_view account,
                       std::string_view external_id, std::string_view details) {
  ResourceFacts out;
  json::Parser parser({.bytes = std::size_t{1} << 20, .depth = 8});
  const auto parsed = parser.parse(details);
  if (type == "AWS_ECR_CONTAINER_IMAGE") {
    read_image_name(out, account, external_id);
    if (parsed) out.image_architecture = registry_architecture(text_of((*parsed)["architecture"]));
  } else if (type == "AWS_EC2_INSTANCE" && parsed) {
    const auto instance = (*parsed)["instance"];
    out.image_id = text_of(instance["imageId"]);
    out.vpc_id = text_of(instance["vpcId"]);
    out.subnet_id = text_of(instance["subnetId"]);
  }
  return out;
}

ResourceFacts read_facts(const sql::Row& row, int first_column) {
  const auto text = [&](int offset) { return row.string(first_column + offset); };
  return {.repository = text(0),
          .registry = text(1),
          .image_hash = text(2),
          .image_architecture = text(3),
          .image_id = text(4),
          .vpc_id = text(5),
          .subnet_id = text(6)};
}

}  // namespace tenken::store
