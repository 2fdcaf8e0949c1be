#include "sql/libpq.h"

#include <dlfcn.h>
#include <libpq-fe.h>

namespace tenken::sql {
namespace {

// Never unloaded: OpenSSL leaves handlers for the end of the process.
void* library() {
  static void* const loaded = ::dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
  return loaded;
}

// The library's function behind the one of the same name below.
template <typename Function>
Function* loaded(const char* symbol) {
  void* const found = ::dlsym(library(), symbol);
  CHECK(found != nullptr);  // libpq.so.5 has had them all for longer than Debian 12
  return reinterpret_cast<Function*>(found);
}

}  // namespace

Result<> load_libpq() {
  if (library() != nullptr) return {};
  return unavailable(
      "libpq.so.5 is not installed, which PostgreSQL needs (Debian and Ubuntu: libpq5; Fedora and "
      "RHEL: libpq; SUSE: libpq5; Alpine: libpq)");
}

}  // namespace tenken::sql

// The functions that libpq-fe.h declares, as far as they are used here: each hands its arguments
// to the library's own.
#define FORWARD(function, ...)                                                       \
  static auto* const forwarded = tenken::sql::loaded<decltype(function)>(#function); \
  return forwarded(__VA_ARGS__)

extern "C" {

PGconn* PQconnectStartParams(const char* const* keywords, const char* const* values,
                             int expand_dbname) {
  FORWARD(PQconnectStartParams, keywords, values, expand_dbname);
}
PostgresPollingStatusType PQconnectPoll(PGconn* conn) {
  FORWARD(PQconnectPoll, conn);
}
void PQfinish(PGconn* conn) {
  FORWARD(PQfinish, conn);
}
PQconninfoOption* PQconninfo(PGconn* conn) {
  FORWARD(PQconninfo, conn);
}
PQconninfoOption* PQconninfoParse(const char* conninfo, char** errmsg) {
  FORWARD(PQconninfoParse, conninfo, errmsg);
}
void PQconninfoFree(PQconninfoOption* options) {
  FORWARD(PQconninfoFree, options);
}
void PQfreemem(void* ptr) {
  FORWARD(PQfreemem, ptr);
}
ConnStatusType PQstatus(const PGconn* conn) {
  FORWARD(PQstatus, conn);
}
PGTransactionStatusType PQtransactionStatus(const PGconn* conn) {
  FORWARD(PQtransactionStatus, conn);
}
const char* PQparameterStatus(const PGconn* conn, const char* name) {
  FORWARD(PQparameterStatus, conn, name);
}
char* PQerrorMessage(const PGconn* conn) {
  FORWARD(PQerrorMessage, conn);
}
int PQsocket(const PGconn* conn) {
  FORWARD(PQsocket, conn);
}
int PQconnectionNeedsPassword(const PGconn* conn) {
  FORWARD(PQconnectionNeedsPassword, conn);
}
PGVerbosity PQsetErrorVerbosity(PGconn* conn, PGVerbosity verbosity) {
  FORWARD(PQsetErrorVerbosity, conn, verbosity);
}
PQnoticeReceiver PQsetNoticeReceiver(PGconn* conn, PQnoticeReceiver proc, void* arg) {
  FORWARD(PQsetNoticeReceiver, conn, proc, arg);
}
PGresult* PQexec(PGconn* conn, const char* query) {
  FORWARD(PQexec, conn, query);
}
PGresult* PQexecParams(PGconn* conn, const char* command, int count, const Oid* types,
                       const char* const* values, const int* lengths, const int* formats,
                       int result_format) {
  FORWARD(PQexecParams, conn, command, count, types, values, lengths, formats, result_format);
}
PGresult* PQprepare(PGconn* conn, const char* name, const char* query, int count,
                    const Oid* types) {
  FORWARD(PQprepare, conn, name, query, count, types);
}
PGresult* PQexecPrepared(PGconn* conn, const char* name, int count, const char* const* values,
                         const int* lengths, const int* formats, int result_format) {
  FORWARD(PQexecPrepared, conn, name, count, values, lengths, formats, result_format);
}
int PQsendQueryPrepared(PGconn* conn, const char* name, int count, const char* const* values,
                        const int* lengths, const int* formats, int result_format) {
  FORWARD(PQsendQueryPrepared, conn, name, count, values, lengths, formats, result_format);
}
int PQsetSingleRowMode(PGconn* conn) {
  FORWARD(PQsetSingleRowMode, conn);
}
PGresult* PQgetResult(PGconn* conn) {
  FORWARD(PQgetResult, conn);
}
int PQputCopyData(PGconn* conn, const char* buffer, int bytes) {
  FORWARD(PQputCopyData, conn, buffer, bytes);
}
int PQputCopyEnd(PGconn* conn, const char* message) {
  FORWARD(PQputCopyEnd, conn, message);
}
ExecStatusType PQresultStatus(const PGresult* res) {
  FORWARD(PQresultStatus, res);
}
char* PQresultErrorField(const PGresult* res, int field) {
  FORWARD(PQresultErrorField, res, field);
}
int PQnfields(const PGresult* res) {
  FORWARD(PQnfields, res);
}
Oid PQftype(const PGresult* res, int field) {
  FORWARD(PQftype, res, field);
}
char* PQcmdStatus(PGresult* res) {
  FORWARD(PQcmdStatus, res);
}
char* PQcmdTuples(PGresult* res) {
  FORWARD(PQcmdTuples, res);
}
char* PQgetvalue(const PGresult* res, int row, int field) {
  FORWARD(PQgetvalue, res, row, field);
}
int PQgetlength(const PGresult* res, int row, int field) {
  FORWARD(PQgetlength, res, row, field);
}
int PQgetisnull(const PGresult* res, int row, int field) {
  FORWARD(PQgetisnull, res, row, field);
}
void PQclear(PGresult* res) {
  FORWARD(PQclear, res);
}

}  // extern "C"

#undef FORWARD
