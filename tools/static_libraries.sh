#!/usr/bin/env bash
# Makes what packaged programs link (cmake/static.cmake) in build/static-libraries, out of the
# sources of Debian 12, whose checksums apt verifies against the archive's signature: fmt and
# simdjson in one file each, OpenSSL and SQLite without what the agent does not use. Does nothing
# where they stand there already as this script makes them; --newest asks the archive again, to have
# OpenSSL's latest corrections. Needs what tools/setup.sh installs; two minutes on two processors.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$PWD/build/static-libraries
this=$(sha256sum "tools/static_libraries.sh")

if [[ ${1:-} != --newest && "$(cat "$out/made-by" 2>/dev/null)" == "$this" ]]; then
  exit 0
fi
rm -rf "$out"
mkdir -p "$out/work/lists/partial" "$out/work/sources"
cd "$out/work"

# The archives of Debian 12 that this machine installs from; its own lists stay as they are.
key=/usr/share/keyrings/debian-archive-keyring.gpg
apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
  sed -nE "s|^Debian (\S+) (bookworm(-security)?)\$|deb-src [signed-by=$key] \1 \2 main|p" |
  sort -u >sources.list
[[ -s sources.list ]] || {
  echo "static_libraries: apt has no archive of Debian 12 (bookworm)" >&2
  exit 1
}
apt=(apt-get -qq -o "Dir::State::lists=$PWD/lists" -o "Dir::Etc::sourcelist=$PWD/sources.list"
  -o Dir::Etc::sourceparts=/dev/null -o "Dir::Cache=$PWD" -o APT::Sandbox::User=root)
echo "static_libraries: fetching the sources of fmt, OpenSSL, SQLite and simdjson"
"${apt[@]}" update
(cd sources && "${apt[@]}" source --download-only --tar-only fmtlib openssl simdjson sqlite3)
for archive in sources/*.orig.tar.*; do
  [[ $archive == *.asc ]] || tar -xf "$archive"
done

echo "static_libraries: building OpenSSL; the log is $out/openssl.log"
# Neither files of the host (openssl.cnf, modules) nor algorithms that no tenken server speaks.
without=(
  autoload-config dso engine legacy module shared tests ui-console
  async cmp cms comp ct multiblock nextprotoneg ocsp psk rfc3779 srp srtp ts
  dtls ssl3 tls1 tls1_1 weak-ssl-ciphers deprecated
  aria bf blake2 camellia cast des dh dsa ec2m gost idea md4 mdc2 ocb rc2 rc4 rc5 rmd160 scrypt
  seed siphash siv sm2 sm3 sm4 whirlpool
)
(
  cd openssl-*/
  CC="ccache clang-19" ./config --prefix=/nonexistent --openssldir=/nonexistent --api=3.0.0 \
    "${without[@]/#/no-}" -Os -ffunction-sections -fdata-sections &&
    make -j"$(nproc)" build_generated &&
    make -j"$(nproc)" libcrypto.a libssl.a
) >"$out/openssl.log" 2>&1 || {
  tail -n 20 "$out/openssl.log" >&2
  echo "static_libraries: OpenSSL could not be built" >&2
  exit 1
}

echo "static_libraries: building SQLite; the log is $out/sqlite.log"
# It reads what rpm wrote: everything that may stand in a schema is understood.
sqlite=(-DSQLITE_DEFAULT_MEMSTATUS=0)
for one in ANALYZE AUTHORIZATION COMPILEOPTION_DIAGS COMPLETE DATETIME_FUNCS DECLTYPE DEPRECATED \
  EXPLAIN GET_TABLE INCRBLOB INTEGRITY_CHECK INTROSPECTION_PRAGMAS JSON LOAD_EXTENSION LOCALTIME \
  REINDEX SHARED_CACHE TCL_VARIABLE TRACE UTF16 WINDOWFUNC; do
  sqlite+=("-DSQLITE_OMIT_$one")
done
(
  cd sqlite3-*/
  ./configure --disable-tcl --disable-readline &&
    make OPTS="${sqlite[*]}" sqlite3.c &&
    ccache clang-19 -Os -fPIE -ffunction-sections -fdata-sections "${sqlite[@]}" -c sqlite3.c &&
    ar rcs libsqlite3.a sqlite3.o
) >"$out/sqlite.log" 2>&1 || {
  tail -n 20 "$out/sqlite.log" >&2
  echo "static_libraries: SQLite could not be built" >&2
  exit 1
}
cp sqlite3-*/libsqlite3.a openssl-*/libcrypto.a openssl-*/libssl.a "$out"
cp -r openssl-*/include "$out"
cp fmt*/src/format.cc "$out/fmt.cpp"
cp simdjson-*/singleheader/simdjson.cpp simdjson-*/singleheader/simdjson.h "$out"
sed -n 's/^\(MAJOR\|MINOR\|PATCH\)=//p' openssl-*/VERSION.dat | paste -sd. >"$out/openssl-version"
cd "$out"
rm -rf work
echo "$this" >made-by
echo "static_libraries: OpenSSL $(cat openssl-version), in $out"
