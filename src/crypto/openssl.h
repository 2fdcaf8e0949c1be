// OpenSSL, loaded when its first function is called: as a library that is linked it costs every
// start of the program 1.1 ms, and most starts are scans, which need none of it.
//
// The functions of <openssl/*.h> are called as ever; openssl.cpp lists those that there are.
// Thread rule: any thread.
#pragma once

#include "base/result.h"

namespace tenken::crypto {

// Before the first call of an OpenSSL function; without the library such a call ends the process.
// Errors: unavailable where libssl.so.3 is not installed.
Result<> load_openssl();

}  // namespace tenken::crypto
