#!/bin/sh
# Puts tenken-agent on this host and joins it to a tenken server. The server hands this file out at
# /agent/install; `tenken admin token create` prints the line that fetches it and checks it.
#
#   sh install.sh --server https://HOST:PORT --ca-sha256 DIGITS
#   sh install.sh --uninstall     leaves nothing of it, neither program nor state
#
#   --token TOKEN       (standard input: there no other user of the host sees it)
#   --ca-sha256 DIGITS  SHA-256 of the server's authority, which is fetched and then alone trusted
#   --ca FILE           the authority in a file, in place of that
#   --release-key KEY   base64 of the Ed25519 key that signs programs: an unsigned one is refused
#   --bin DIR           where the program goes (/usr/local/bin)
#   --state DIR         what the agent keeps (/var/lib/tenken-agent)
#   --no-service        no systemd unit
#
# Needs curl or wget, sha256sum, and with --release-key openssl 3.
set -eu
umask 077

fail() {
  printf 'install: %s\n' "$*" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# fetch PATH FILE: from the server, by its authority; before that is there, from anybody.
fetch() {
  url=$server$1 file=$2
  if have curl; then
    if [ -n "$ca" ]; then set -- --cacert "$ca"; else set -- --insecure; fi
    curl --fail --silent --show-error --proto '=https' "$@" --output "$file" "$url"
  elif have wget; then
    if [ -n "$ca" ]; then set -- --ca-certificate="$ca"; else set -- --no-check-certificate; fi
    wget --quiet "$@" --output-document="$file" "$url"
  else
    fail "curl or wget is needed"
  fi
}

# The key as the structure that openssl reads: RFC 8410, section 4.
verify() {
  {
    printf '\060\052\060\005\006\003\053\145\160\003\041\000'
    printf '%s' "$release_key" | base64 -d
  } >"$work/key.der"
  openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key.der" -rawin \
    -in "$work/tenken-agent" -sigfile "$work/signature" >/dev/null 2>&1 ||
    fail "the program is not signed with the key of --release-key"
}

write_unit() {
  cat >"$1" <<UNIT
[Unit]
Description=tenken agent
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=$bin/tenken-agent run --state $state
Restart=always
RestartSec=10
Nice=19
IOSchedulingClass=idle
UMask=0077
ReadWritePaths=$state
ProtectSystem=strict
ProtectHome=read-only
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_SYS_PTRACE
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
LockPersonality=yes
MemoryDenyWriteExecute=yes

[Install]
WantedBy=multi-user.target
UNIT
  chmod 644 "$1"
}

start_service() {
  if [ "$service" = no ] || [ ! -d /run/systemd/system ]; then
    printf 'install: start it with: %s/tenken-agent run --state %s\n' "$bin" "$state" >&2
    return
  fi
  write_unit /etc/systemd/system/tenken-agent.service
  systemctl daemon-reload
  systemctl enable --quiet tenken-agent.service
  systemctl restart tenken-agent.service
}

uninstall() {
  if [ "$service" = yes ] && [ -d /run/systemd/system ]; then
    systemctl disable --quiet --now tenken-agent.service 2>/dev/null || true
    rm -f /etc/systemd/system/tenken-agent.service
    systemctl daemon-reload
  fi
  rm -f "$bin/tenken-agent"
  # Only what an agent has made: the option may have been mistaken.
  if [ -d "$state" ]; then
    [ -e "$state/agent.pem" ] || fail "$state: no agent's state stands there"
    rm -rf "$state"
  fi
}

# All of it stands in a function, so that a file that was cut off does nothing.
main() {
  server='' ca='' ca_sha256='' release_key='' token='' service=yes remove=no
  bin=/usr/local/bin state=/var/lib/tenken-agent
  while [ $# -gt 0 ]; do
    case $1 in
      --no-service) service=no && shift && continue ;;
      --uninstall) remove=yes && shift && continue ;;
      --server | --ca | --ca-sha256 | --release-key | --token | --bin | --state) ;;
      *) fail "$1: no such option" ;;
    esac
    [ $# -ge 2 ] || fail "$1: a value is needed"
    case $1 in
      --server) server=${2%/} ;;
      --ca) ca=$2 ;;
      --ca-sha256) ca_sha256=$2 ;;
      --release-key) release_key=$2 ;;
      --token) token=$2 ;;
      --bin) bin=$2 ;;
      --state) state=$2 ;;
    esac
    shift 2
  done
  if [ "$remove" = yes ]; then
    uninstall
    return
  fi
  case $server in https://?*) ;; *) fail "--server https://HOST:PORT is needed" ;; esac
  [ -n "$ca$ca_sha256" ] || fail "--ca-sha256 or --ca is needed"
  [ "$(uname -s)" = Linux ] || fail "this is not Linux"

  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  if [ -z "$ca" ]; then
    fetch /agent/ca.pem "$work/ca.pem"
    printf '%s  %s\n' "$ca_sha256" "$work/ca.pem" | sha256sum -c >/dev/null 2>&1 ||
      fail "the server's authority is another than --ca-sha256 says"
    ca=$work/ca.pem
  fi
  architecture=$(uname -m)
  fetch "/agent/release/$architecture" "$work/tenken-agent" ||
    fail "the server has no program for $architecture (tenken serve --agent-releases)"
  if [ -n "$release_key" ]; then
    fetch "/agent/release/$architecture.sig" "$work/signature" || fail "the program is not signed"
    verify
  fi

  chmod 755 "$work/tenken-agent"
  "$work/tenken-agent" --version >/dev/null || fail "the program does not run on this host"
  mkdir -p "$state"
  (umask 022 && mkdir -p "$bin")
  # Beside it first: a running one is replaced at once or not at all.
  cp "$work/tenken-agent" "$bin/.tenken-agent.new"
  chmod 755 "$bin/.tenken-agent.new"
  mv -f "$bin/.tenken-agent.new" "$bin/tenken-agent"
  [ -n "$token" ] || read -r token || fail "a token is needed: --token, or standard input"
  printf '%s\n' "$token" |
    "$bin/tenken-agent" enrol --server "$server" --ca "$ca" --token - --state "$state"
  start_service
}

main "$@"
