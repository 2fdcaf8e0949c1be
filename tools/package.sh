#!/usr/bin/env bash
# Builds the packages of server and agent, .deb and .rpm, into build/packages, and the agent as a
# release that servers hand out (tenken serve --agent-releases build/packages/agents).
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "package: $*"; }
step() {
  "$@" >>build/package.log 2>&1 || {
    tail -n 40 build/package.log >&2
    say "failed: $*; the whole log is build/package.log" >&2
    exit 1
  }
}

mkdir -p build
: >build/package.log
tools/setup.sh package
tools/static_libraries.sh
say "building the static agent"
step cmake --preset static
step ninja -C build/static tenken-agent
say "building the server"
step cmake --preset package
step ninja -C build/package tenken tenken-agent packaged_files
rm -rf build/packages
step cpack --config build/package/CPackConfig.cmake -B build/package/cpack
rm -rf build/packages/_CPack_Packages
version=$(build/static/tenken-agent --version | cut -d' ' -f2)
mkdir -p "build/packages/agents/$version"
cp build/static/tenken-agent "build/packages/agents/tenken-agent-$(uname -m)"
cp build/static/tenken-agent "build/packages/agents/$version/tenken-agent-$(uname -m)"
ls -l build/packages/*.*
