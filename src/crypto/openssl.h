// OpenSSL, loaded when its first function is called: as a library that is linked it costs every
// start of the program 1.1 ms, and most starts are scans, which need none of it. The static agent
// has it in itself.
//
// The functions of <openssl/*.h> are called as ever; openssl_loaded.cpp lists those that there are.
// Thread rule: any thread.
#pragma once

#include <string_view>

#include "base/result.h"

namespace tenken::crypto {

// Before the first call of an OpenSSL function; without the library such a call ends the process.
// Errors: unavailable where libssl.so.3 is not installed.
Result<> load_openssl();

// "WHAT: the reason", of the oldest entry of OpenSSL's queue, which is emptied; "WHAT" without one.
Error openssl_error(Errc code, std::string_view what);

// A pass phrase callback: without one OpenSSL would ask the terminal for that of an encrypted key.
int no_pass_phrase(char* buffer, int size, int writing, void* data);

// What std::unique_ptr calls for an object of OpenSSL's: Freed<X509_free>.
template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

}  // namespace tenken::crypto
