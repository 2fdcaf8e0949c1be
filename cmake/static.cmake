# What packaged programs link in place of shared libraries, made by tools/static_libraries.sh from
# Debian's sources.
#   TENKEN_BUNDLED  the server: fmt and simdjson, of which each distribution has another version
#   TENKEN_STATIC   the agent: everything. Debian has fmt and simdjson as shared libraries only, its
#                   libcrypto.a is larger than the whole agent may be, and its SQLite is twice what
#                   reading takes.

set(TENKEN_STATIC_LIBRARIES ${CMAKE_SOURCE_DIR}/build/static-libraries
  CACHE PATH "where tools/static_libraries.sh has put them")
foreach(file fmt.cpp simdjson.cpp simdjson.h libcrypto.a libssl.a libsqlite3.a)
  if(NOT EXISTS ${TENKEN_STATIC_LIBRARIES}/${file})
    message(FATAL_ERROR "${TENKEN_STATIC_LIBRARIES}/${file} is missing: run tools/static_libraries.sh")
  endif()
endforeach()

if(TENKEN_STATIC)
  # Position-independent all the same: a program that talks to the network starts at random
  # addresses.
  add_compile_options(-fPIE -ffunction-sections -fdata-sections)
  add_link_options(-s -static-pie -Wl,--gc-sections -Wl,--icf=all -Wl,--pack-dyn-relocs=relr)
  add_library(tenken_static_openssl INTERFACE)
  set(OPENSSL_INCLUDE_DIR ${TENKEN_STATIC_LIBRARIES}/include)
  target_link_libraries(tenken_static_openssl INTERFACE
    ${TENKEN_STATIC_LIBRARIES}/libssl.a ${TENKEN_STATIC_LIBRARIES}/libcrypto.a)
else()
  add_link_options(-s -static-libstdc++ -static-libgcc)
endif()

# The headers are the system's. With the locale's own separator, fmt brings all of libstdc++'s
# locales: 0.7 MB. FMT_SHARED is what Debian's fmt is compiled against: objects stay the same.
add_library(tenken_static_fmt STATIC ${TENKEN_STATIC_LIBRARIES}/fmt.cpp)
target_compile_definitions(tenken_static_fmt PUBLIC FMT_SHARED
  PRIVATE $<$<BOOL:${TENKEN_STATIC}>:FMT_STATIC_THOUSANDS_SEPARATOR=','>)
add_library(fmt::fmt ALIAS tenken_static_fmt)

add_library(tenken_static_simdjson STATIC ${TENKEN_STATIC_LIBRARIES}/simdjson.cpp)
