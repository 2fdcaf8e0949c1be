// What PostgreSQL writes differently, as text: parameters, bytes, error codes, addresses.
//
// Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tenken::sql {

// A statement with ?1, ?2, … as $1, $2, …, except inside string literals, quoted names and
// comments; as the word NULL where is_null, by number from 0, says so. parameters is the greatest
// number.
struct NumberedStatement {
  std::string text;
  std::size_t parameters = 0;
};
NumberedStatement number_parameters(std::string_view sql, const std::vector<bool>& is_null = {});

// The bytes of a BYTEA as PostgreSQL writes it, "\x00ff"; empty for anything else.
std::string decode_bytea(std::string_view text);

// https://www.postgresql.org/docs/15/errcodes-appendix.html
Errc code_of_sqlstate(std::string_view sqlstate);

// The SQLSTATE and the message in libpq's verbose text of a failed connection, the only place
// where it stands: "…: FATAL:  28P01: password authentication failed for user "x"\nLOCATION: …".
struct ConnectFailure {
  std::string_view sqlstate;  // empty where the server did not get to say anything
  std::string_view message;
};
ConnectFailure read_connect_failure(std::string_view verbose);

// Whether libpq will read the address as it was meant. Where a password holds an "@" or "/" that
// is not percent-encoded, libpq takes a part of it for the host and shows it in its errors, so
// that is refused here. The error shows nothing of the address.
Result<> check_address(std::string_view uri);

}  // namespace tenken::sql
