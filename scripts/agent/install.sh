#!/bin/sh
# Puts tenken-agent on this host and joins it to a tenken server. The server hands this file out at
# /agent/install; `tenken admin token create` prints the line that fetches it and checks it.
#
#   sh install                    joins the server that it came from
#                                 (again, with a new token: an agent at work is stopped and started)
#   sh install --uninstall        leaves nothing of it, neither program nor state
#   sh install --add-service | --remove-service | --print unit|init|cron        (for packages)
#
#   --server URL        https://HOST:PORT, in place of the one that this came from
#   --token TOKEN       (standard input: there no other user of the host sees it)
#   --ca-sha256 DIGITS  SHA-256 of the server's authority, which is fetched and then alone trusted
#   --ca FILE           the authority in a file, in place of that
#   --release-key KEY   base64 of the Ed25519 key that signs programs: an unsigned one is refused
#   --bin DIR           where the program goes (/usr/local/bin); without blanks, as --state
#   --state DIR         what the agent keeps (/var/lib/tenken-agent)
#   --proxy URL         of the agent: http://[USER:PASSWORD@]HOST:PORT
#   --init KIND         what starts the agent: systemd, sysv, cron or none; otherwise the first of
#                       these that the host has
#   --no-service        as --init none
#   --rootfs DIR        everything goes below DIR, the root of another host; nothing is started
#
# Needs curl or wget, sha256sum, and with --release-key openssl 3.
set -eu
umask 077

# What the server fills in when it hands this file out.
default_server=''
default_ca_sha256=''

fail() {
  printf 'install: %s\n' "$*" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# fetch PATH FILE: from the server, by its authority; before that is there, from anybody.
fetch() {
  url=$server$1 file=$2
  [ -z "$proxy" ] || export https_proxy="$proxy"
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

unit_text() {
  cat <<UNIT
[Unit]
Description=tenken agent
Wants=network-online.target
After=network-online.target
ConditionPathExists=$state/agent.conf

[Service]
ExecStart=$bin/tenken-agent run --state $state
Restart=always
RestartSec=10
Nice=19
IOSchedulingClass=idle
UMask=0077

# It reads the host and its processes, talks to its server, and writes its state. Not
# ProtectKernelModules and not ProtectProc: it looks which kernels are installed, and at processes.
ReadWritePaths=$state
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
DevicePolicy=closed
ProtectClock=yes
ProtectKernelLogs=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_SYS_PTRACE
AmbientCapabilities=
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
KeyringMode=private
SystemCallArchitectures=native
# No groups: what an old systemd does not know of these lists it leaves out, and a group of allowed
# calls left out means that the agent does not run.
SystemCallFilter=~ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp process_madvise
SystemCallFilter=~move_pages migrate_pages perf_event_open userfaultfd
SystemCallFilter=~umount2 pivot_root chroot fsopen fsconfig fsmount fspick move_mount open_tree
SystemCallFilter=~setns open_by_handle_at
SystemCallFilter=~init_module finit_module delete_module kexec_load kexec_file_load bpf reboot
SystemCallFilter=~swapon swapoff syslog acct quotactl fanotify_init
SystemCallFilter=~io_uring_setup io_uring_enter io_uring_register
SystemCallFilter=~setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups
SystemCallFilter=~personality keyctl add_key request_key
SystemCallFilter=~settimeofday clock_settime clock_adjtime adjtimex sethostname setdomainname
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
UNIT
}

init_text() {
  printf '#!/bin/sh\nprogram=%s\nstate=%s\n' "$bin/tenken-agent" "$state"
  cat <<'INIT'
### BEGIN INIT INFO
# Provides:          tenken-agent
# Required-Start:    $remote_fs $network
# Required-Stop:     $remote_fs $network
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: tenken agent
# Description:       reports what is installed on this host to a tenken server
### END INIT INFO
# chkconfig: 2345 90 10
# description: tenken agent

# The process by its number, where that is still an agent's.
running() {
  pid=$(cat "$state/pid" 2>/dev/null) && [ -n "$pid" ] &&
    { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -q "tenken-agent run --state $state "
}
start() {
  running && return 0
  if [ ! -e "$state/agent.conf" ]; then
    echo "tenken-agent: not enrolled: tenken-agent enrol" >&2
    return 6
  fi
  umask 077
  setsid "$program" run --state "$state" --log </dev/null >/dev/null 2>&1 &
  echo $! >"$state/pid"
}
stop() {
  running || return 0
  kill "$pid"
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    running || break
    sleep 1
  done
  ! running || kill -9 "$pid"
  rm -f "$state/pid"
}
case ${1:-} in
  start) start ;;
  stop) stop ;;
  restart | force-reload) stop && start ;;
  reload) running && kill -HUP "$pid" ;;
  try-restart | condrestart) ! running || { stop && start; } ;;
  status)
    running && echo "tenken-agent runs: process $pid" && exit 0
    echo "tenken-agent does not run"
    exit 3
    ;;
  *)
    echo "usage: $0 start|stop|restart|try-restart|reload|force-reload|status" >&2
    exit 2
    ;;
esac
INIT
}

# For hosts that have nothing that keeps programs running. Not all of a fleet in one second.
cron_line() {
  printf '%s%s\n' "*/4 * * * * $1sleep \`expr \$\$ \\% 50\`; " \
    "exec $bin/tenken-agent run --once --state $state >$state/log 2>&1"
}
cron_text() {
  printf '# tenken agent: no service manager was found that could keep it running\n'
  cron_line 'root '
}

# Which of systemd, sysv, cron starts programs here.
find_init() {
  if [ -d "$rootfs/run/systemd/system" ]; then
    init=systemd
  elif [ -n "$rootfs" ] && [ -d "$rootfs/lib/systemd/system" ]; then
    init=systemd
  elif [ -d "$rootfs/etc/init.d" ] && [ -n "$(registrar)" ]; then
    init=sysv
  elif [ -d "$rootfs/etc/cron.d" ] || [ -d "$rootfs/etc/crontabs" ]; then
    init=cron
  else
    fail "neither systemd, SysV init nor cron starts programs here: --init none installs without," \
      "and $bin/tenken-agent run --state $state is to be started by other means"
  fi
}

# The program that enters scripts of /etc/init.d into the runlevels.
registrar() {
  for one in update-rc.d chkconfig insserv; do
    for directory in /usr/sbin /sbin; do
      [ ! -x "$rootfs$directory/$one" ] || { echo "$one" && return; }
    done
  done
}

register() {
  case $(registrar) in
    update-rc.d) update-rc.d tenken-agent defaults >/dev/null ;;
    chkconfig) chkconfig --add tenken-agent ;;
    insserv) insserv tenken-agent ;;
  esac
}
unregister() {
  case $(registrar) in
    update-rc.d) update-rc.d -f tenken-agent remove >/dev/null ;;
    chkconfig) chkconfig --del tenken-agent ;;
    insserv) insserv -r tenken-agent ;;
  esac
}

# put FILE MODE: standard input becomes the file at once or not at all.
put() {
  (umask 022 && mkdir -p "$(dirname "$1")")
  cat >"$1.new"
  chmod "$2" "$1.new"
  mv -f "$1.new" "$1"
}

unit_file=/etc/systemd/system/tenken-agent.service
init_file=/etc/init.d/tenken-agent
cron_file=/etc/cron.d/tenken-agent
busybox_file=/etc/crontabs/root
cron_mark='/tenken-agent run --once '

put_unit() {
  unit_text | put "$rootfs$unit_file" 644
  if [ -n "$rootfs" ]; then
    (umask 022 && mkdir -p "$rootfs/etc/systemd/system/multi-user.target.wants")
    ln -sf "$unit_file" "$rootfs/etc/systemd/system/multi-user.target.wants/"
  else
    systemctl daemon-reload
    # Of an old init script, which goes next, it is not to ask.
    SYSTEMCTL_SKIP_SYSV=1 systemctl enable --quiet tenken-agent.service
  fi
}
put_init_script() {
  init_text | put "$rootfs$init_file" 755
  [ -n "$rootfs" ] || register || fail "$init_file could not be entered into the runlevels"
}
put_into_cron() {
  if [ -d "$rootfs/etc/cron.d" ]; then
    cron_text | put "$rootfs$cron_file" 644
  else
    change_crontab cron_line ''
  fi
}

# Without the new one the old one stays; with both, two would start the agent. Only then the new one
# does, for one agent at a time has the state.
add_service() {
  [ -n "$init" ] || find_init
  case $init in
    systemd)
      put_unit
      remove_init_script
      remove_from_cron
      [ -n "$rootfs" ] || systemctl restart tenken-agent.service
      ;;
    sysv)
      put_init_script
      remove_unit
      remove_from_cron
      if [ -z "$rootfs" ] && [ -e "$state/agent.conf" ]; then
        "$init_file" restart || fail "$init_file restart has failed"
      fi
      ;;
    cron)
      put_into_cron
      remove_unit
      remove_init_script
      ;;
    none)
      printf 'install: start it with: %s/tenken-agent run --state %s\n' "$bin" "$state" >&2
      ;;
    *) fail "--init $init: systemd, sysv, cron or none is needed" ;;
  esac
}

# change_crontab COMMAND…: what the command prints takes the place of the agent's line. The table is
# root's: all of it is there afterwards, or it is as it was.
change_crontab() {
  table=$rootfs$busybox_file
  (cp -p "$table" "$table.new" 2>/dev/null || [ ! -e "$table" ]) &&
    without_agent "$table" >"$table.new" && "$@" >>"$table.new" && mv -f "$table.new" "$table" ||
    { rm -f "$table.new" && fail "$table could not be written; it is as it was"; }
}
# 1 of grep: there are no other lines.
without_agent() {
  [ -e "$1" ] || return 0
  grep -v "$cron_mark" "$1" || [ $? -eq 1 ]
}
remove_from_crontab() {
  ! grep -q "$cron_mark" "$rootfs$busybox_file" 2>/dev/null || change_crontab :
}

remove_unit() {
  if [ -e "$rootfs$unit_file" ]; then
    stopped=''
    if [ -z "$rootfs" ] && have systemctl; then
      # Not disabled: that would switch off an init script of the same name too.
      systemctl stop --quiet tenken-agent.service 2>/dev/null || true
    fi
    rm -f "$rootfs$unit_file" \
      "$rootfs/etc/systemd/system/multi-user.target.wants/tenken-agent.service"
    [ -n "$rootfs" ] || [ ! -d /run/systemd/system ] || systemctl daemon-reload
  fi
}
remove_init_script() {
  if [ -e "$rootfs$init_file" ]; then
    stopped=''
    [ -n "$rootfs" ] || "$init_file" stop || true
    [ -n "$rootfs" ] || unregister || true
    rm -f "$rootfs$init_file"
  fi
}
remove_from_cron() {
  rm -f "$rootfs$cron_file"
  remove_from_crontab
}

# Whatever was put there: the host may have had another init then.
remove_service() {
  remove_unit
  remove_init_script
  remove_from_cron
}

# Where the directory is one of the host's own, whatever lies in it.
is_of_the_host() {
  at=$(CDPATH='' cd -P -- "$1/" 2>/dev/null && pwd -P) || return 0
  top=$(CDPATH='' cd -P -- "$rootfs/" 2>/dev/null && pwd -P) || return 0
  case ${at#"${top%/}"} in
    '' | / | // | /bin | /boot | /dev | /etc | /home | /lib | /lib64 | /media | /mnt | /opt) ;;
    /proc | /root | /run | /sbin | /srv | /sys | /tmp | /usr | /usr/local | /var | /var/lib) ;;
    *) return 1 ;;
  esac
}

is_file() { [ -f "$1" ] && [ ! -L "$1" ]; }

# Nothing but what an agent makes before it is enrolled, or left half written.
has_only_agents_files() {
  is_file "$1/lock" && [ ! -s "$1/lock" ] || return 1
  for one in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    [ -e "$one" ] || [ -L "$one" ] || continue
    name=${one##*/}
    case $name in
      spool | versions) [ -d "$one" ] && [ ! -L "$one" ] && continue ;;
      *.??????) name=${name%.??????} ;;
    esac
    case $name in
      lock | identity | agent.conf | agent.pem | ca.pem | report | sequence) ;;
      look | held | status | log | log.1 | pid) ;;
      *) return 1 ;;
    esac
    is_file "$one" || return 1
  done
}

# Only what an agent has made: the option may have been mistaken.
is_state() {
  if is_file "$1/agent.pem" && is_file "$1/agent.conf"; then return 0; fi
  if is_file "$1/identity" && [ "$(wc -c <"$1/identity")" -le 33 ] &&
    grep -Eqx '[0-9a-f]{32}' "$1/identity"; then return 0; fi
  has_only_agents_files "$1"
}

# Who holds the state: an agent that was started by hand, or by cron. It has the file open that is
# locked; /proc/locks may name a process that has ended since, or, in a container, none. Names come
# first: to ask the file system of each open file would wait for one whose server is gone.
holders() {
  [ -z "$rootfs" ] && [ -e "$state/lock" ] || return 0
  ls -l /proc/[0-9]*/fd 2>/dev/null | while read -r line; do
    case $line in
      /proc/*/fd:) of=${line%/fd:} ;;
      *' -> '*/lock | *' -> '*'/lock (deleted)')
        open=${line%% -> *}
        [ ! "$of/fd/${open##* }" -ef "$state/lock" ] || echo "${of#/proc/}"
        ;;
    esac
  done
}

# Also where its program was replaced or removed meanwhile; one that is ending has none.
is_agent() {
  case $(readlink "/proc/$1/exe") in
    '' | */tenken-agent | */'tenken-agent (deleted)') ;;
    *) return 1 ;;
  esac
}

# It would go on reporting without its files. Who only reads the file, as a backup does, is soon gone.
end_others() {
  seconds=0
  while pids=$(holders) && [ -n "$pids" ]; do
    [ "$seconds" -lt 20 ] || fail "an agent is at work still: end it first (process $pids)"
    for pid in $pids; do
      is_agent "$pid" || [ "$seconds" -lt 5 ] ||
        fail "process $pid holds $state/lock and is no tenken-agent: end it first"
      [ "$seconds" -gt 0 ] || ! is_agent "$pid" || kill "$pid" 2>/dev/null || true
    done
    seconds=$((seconds + 1))
    sleep 1
  done
}

uninstall() {
  if [ -d "$rootfs$state" ]; then
    ! is_of_the_host "$rootfs$state" || fail "$rootfs$state: no agent's state stands there"
    is_state "$rootfs$state" || rmdir "$rootfs$state" 2>/dev/null ||
      fail "$rootfs$state: no agent's state stands there"
  fi
  [ "$init" = none ] || remove_service
  end_others
  rm -f "$rootfs$bin/tenken-agent"
  rm -rf "$rootfs$state"
}

# What keeps an agent at work here.
stop_service() {
  [ -z "$rootfs" ] || return 0
  if [ -d /run/systemd/system ] && systemctl is-active --quiet tenken-agent.service; then
    stopped='systemctl start tenken-agent.service'
    systemctl stop tenken-agent.service || fail "systemctl stop tenken-agent has failed"
  elif [ -x "$init_file" ] && "$init_file" status >/dev/null 2>&1; then
    stopped="$init_file start"
    "$init_file" stop || fail "$init_file stop has failed"
  fi
  [ -z "$stopped" ] || as_before=': the agent goes on as before'
}

# With its new registration, or with the old one. One that add_service has started runs already.
start_again() {
  [ -z "$stopped" ] || $stopped || printf 'install: start the agent: %s\n' "$stopped" >&2
}

# make_directory DIR: with those above it; $made has those that were not there, the lowest first.
make_directory() {
  [ ! -d "$1" ] || return 0
  make_directory "$(dirname "$1")"
  [ ! -d "$1" ] || return 0  # DIR/..
  mkdir "$1"
  made="$1
$made"
}

# Where it will lie: what lies in /tmp may not be run everywhere. A running one is replaced at once
# or not at all.
put_program() {
  umask 022
  make_directory "$rootfs$bin"
  umask 077
  cat "$work/tenken-agent" >"$new" && chmod 755 "$new" || fail "$new could not be written"
  "$new" --version >/dev/null || fail "the program does not run on this host, in $rootfs$bin"
  mv -f "$new" "$rootfs$bin/tenken-agent"
}

# An agent at work holds the state, also one that the server refuses: 75. What cron has started is
# over within seconds.
enrol() {
  seconds=0
  while :; do
    code=0
    printf '%s\n' "$token" | "$rootfs$bin/tenken-agent" enrol "$@" 2>"$work/said" || code=$?
    [ "$code" -eq 75 ] && [ "$seconds" -lt 30 ] || break
    if [ "$seconds" -eq 0 ]; then
      printf 'install: another tenken-agent is at work, and its end is waited for\n' >&2
    fi
    stop_service
    seconds=$((seconds + 1))
    sleep 1
  done
  cat "$work/said" >&2
  return "$code"
}

# Of an installation that failed: what was not there before it. Where there is a membership, the
# host is enrolled, though the answer may have been lost, or a signal came between.
take_back() {
  [ ! -e "$rootfs$state/agent.conf" ] || return 0
  [ -n "$had_program" ] || rm -f "$rootfs$bin/tenken-agent"
  [ -n "$had_state" ] || rm -rf "$rootfs$state"
  printf '%s' "$made" | while IFS= read -r one; do
    rmdir "$one" 2>/dev/null || true
  done
}

# They stand in units, scripts and tables of cron as they are.
check_paths() {
  for one in "$bin" "$state"; do
    case $one in
      *[!A-Za-z0-9/._+@:,=-]*)
        fail "$one: --bin and --state take letters, digits and /._+@:,=- only"
        ;;
      /*) ;;
      *) fail "$one: --bin and --state take paths that begin with /" ;;
    esac
  done
}

install_agent() {
  [ -n "$server" ] || server=$default_server
  [ -n "$ca$ca_sha256" ] || ca_sha256=$default_ca_sha256
  case $server in https://?*) ;; *) fail "--server https://HOST:PORT is needed" ;; esac
  [ -n "$ca$ca_sha256" ] || fail "--ca-sha256 or --ca is needed"
  [ "$(uname -s)" = Linux ] || fail "this is not Linux"
  # Before anything is fetched: what cannot be started is not installed.
  [ -n "$init" ] || find_init

  had_program='' had_state='' made='' enrolled='' stopped='' as_before=''
  [ ! -e "$rootfs$bin/tenken-agent" ] || had_program=yes
  [ ! -e "$rootfs$state" ] || had_state=yes
  work=$(mktemp -d)
  new=$rootfs$bin/tenken-agent.new
  trap 'rm -rf "$work" "$new"; [ -n "$enrolled" ] || take_back; start_again' EXIT
  trap 'exit 1' HUP INT TERM
  if [ -z "$ca" ]; then
    fetch /agent/ca.pem "$work/ca.pem" || fail "$server/agent/ca.pem could not be fetched"
    printf '%s  %s\n' "$ca_sha256" "$work/ca.pem" | sha256sum -c >/dev/null 2>&1 ||
      fail "the server's authority is another than --ca-sha256 says"
    ca=$work/ca.pem
  fi
  architecture=$(uname -m)
  fetch "/agent/release/$architecture" "$work/tenken-agent" ||
    fail "the server has no program for $architecture (tenken serve --agent-releases), or did" \
      "not answer: $url"
  if [ -n "$release_key" ]; then
    fetch "/agent/release/$architecture.sig" "$work/signature" ||
      fail "the program is not signed, or the server did not answer: $url"
    verify
  fi

  put_program
  make_directory "$rootfs$state"
  [ -n "$token" ] || read -r token || fail "a token is needed: --token, or standard input"
  set -- --server "$server" --ca "$ca" --token - --state "$rootfs$state"
  [ -z "$rootfs" ] || set -- "$@" --rootfs "$rootfs"
  [ -z "$proxy" ] || set -- "$@" --proxy "$proxy"
  [ -z "$release_key" ] || set -- "$@" --release-key "$release_key"
  enrol "$@" || fail "the host could not be enrolled$as_before"
  enrolled=yes
  add_service
}

# All of it stands in a function, so that a file that was cut off does nothing.
main() {
  server='' ca='' ca_sha256='' release_key='' token='' proxy='' init='' rootfs='' action=install
  bin=/usr/local/bin state=/var/lib/tenken-agent
  while [ $# -gt 0 ]; do
    case $1 in
      --no-service) init=none && shift && continue ;;
      --help | -h) sed -n '2,/^set /s/^# \{0,1\}//p' "$0" && exit 0 ;;
      --uninstall | --add-service | --remove-service) action=${1#--} && shift && continue ;;
      --server | --ca | --ca-sha256 | --release-key | --token | --proxy | --bin | --state | --init) ;;
      --rootfs | --print) ;;
      *) fail "$1: no such option; see --help" ;;
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
      --proxy) proxy=$2 ;;
      --init) init=$2 ;;
      --rootfs) rootfs=${2%/} ;;
      --print) action=print_$2 ;;
    esac
    shift 2
  done
  case $action in install | add-service | print_*) check_paths ;; esac
  case $action in
    install) install_agent ;;
    uninstall) uninstall ;;
    add-service) add_service ;;
    remove-service) remove_service; end_others ;;
    print_unit) unit_text ;;
    print_init) init_text ;;
    print_cron) cron_text ;;
    *) fail "--print ${action#print_}: unit, init or cron is needed" ;;
  esac
}

main "$@"
