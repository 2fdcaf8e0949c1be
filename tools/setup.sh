#!/usr/bin/env bash
# Installs from Debian's packages what is missing to build and test tenken. Debian 12; root, or a
# user with sudo. Does nothing where everything is there. For the tests also the real AWS clients,
# pinned, from PyPI and npm into build/test-venv; without them the tests that need them are skipped.
#
# Debian's archive keeps one version of a package per release, so versions are Debian 12's own
set -euo pipefail

build=(
  clang-19 lld-19 libstdc++-12-dev cmake ninja-build ccache
  libfmt-dev libsimdjson-dev libcli11-dev libcurl4-openssl-dev libsqlite3-dev libyaml-cpp-dev
  libssl-dev libboost1.81-dev libre2-dev libpq-dev
  libarchive-dev libdeflate-dev zlib1g-dev libzstd-dev libxxhash-dev
)
# Programs the tests talk to: dpkg and rpm as oracles, shells for the completion scripts, a
# PostgreSQL and an SSH server that each test starts for itself, what the install script of agents
# fetches with, and what hosts in namespaces are made with.
test=(
  libclang-rt-19-dev llvm-19 libgtest-dev librapidcheck-dev libbenchmark-dev
  python3 python3-venv python3-jsonschema python3-yaml openssl curl zstd rpm dpkg bash zsh fish
  postgresql-15 openssh-client openssh-server libfaketime
  debootstrap debian-archive-keyring iproute2 util-linux mount
)
# What tools/package.sh makes the static agent and the packages with, and their tests.
package=(
  binutils make perl tcl debian-archive-keyring file rpm dpkg-dev debootstrap python3 openssl
)
bench=(libbenchmark-dev time)

case "${1:-build}" in
  build) wanted=("${build[@]}") ;;
  test) wanted=("${build[@]}" "${test[@]}") ;;
  package) wanted=("${build[@]}" "${package[@]}") ;;
  bench) wanted=("${build[@]}" "${bench[@]}" python3) ;;
  *)
    echo "usage: tools/setup.sh [build|test|package|bench]" >&2
    exit 2
    ;;
esac

if ! command -v apt-get >/dev/null; then
  echo "setup: this script installs Debian packages, and there is no apt-get here." >&2
  echo "setup: install these by other means: ${wanted[*]}" >&2
  exit 1
fi

missing=()
for package in "${wanted[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
  [[ $state == ii* ]] || missing+=("$package")
done
if [[ ${#missing[@]} -gt 0 ]]; then
  as_root=()
  if [[ $(id -u) -ne 0 ]]; then
    command -v sudo >/dev/null || { echo "setup: run as root or install sudo; missing: ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
  fi
  echo "setup: installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
if [[ ${1:-build} == test ]]; then
  python3 "$(dirname "$0")/../tests/e2e/aws_tools.py" || true
fi
echo "setup: everything is installed"
