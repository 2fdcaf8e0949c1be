#include "access/authority.h"

#include <optional>
#include <string>

#include "access/keys.h"
#include "access/writes.h"
#include "crypto/encode.h"
#include "crypto/seal.h"

namespace tenken::access {
namespace {

// The certificate is the associated data: key and certificate stay together.
Result<std::optional<crypto::Identity>> stored_authority(sql::Connection& connection,
                                                         const MasterKey& master) {
  std::string certificate;
  std::string sealed;
  {
    TRY(const auto rows,
        connection.query("SELECT certificate, sealed_key FROM certificate_authority WHERE id = 1"));
    TRY(const auto* row, rows->next());
    if (row == nullptr) return std::optional<crypto::Identity>();
    certificate = row->string(0);
    sealed = row->string(1);
  }
  TRY(const auto bytes, crypto::from_base64(sealed));
  TRY(const auto key, crypto::open(master.derive(MasterKey::Purpose::ca_key), bytes, certificate)
                          .within("the certificate authority of this database"));
  return std::optional(
      crypto::Identity{.certificate = std::move(certificate), .key = std::string(key.reveal())});
}

}  // namespace

Result<crypto::Identity> shared_authority(sql::Connection& connection, const MasterKey& master,
                                          const crypto::Identity& own) {
  TRY_VOID(check_master_key(connection, master));
  TRY(auto there, stored_authority(connection, master));
  if (there) return *std::move(there);
  TRY(auto transaction, begin_change(connection));
  TRY_VOID(claim_master_key(connection, master));
  TRY(auto others, stored_authority(connection, master));
  if (others) return *std::move(others);
  const auto sealed = crypto::to_base64(
      crypto::seal(master.derive(MasterKey::Purpose::ca_key), own.key, own.certificate));
  TRY_VOID(connection.run(
      "INSERT INTO certificate_authority (id, certificate, sealed_key) VALUES (1, ?1, ?2)",
      std::string_view(own.certificate), std::string_view(sealed)));
  TRY_VOID(transaction.commit());
  return own;
}

}  // namespace tenken::access
