#!/usr/bin/env bash
# Tests the Debian package: lintian, man pages, unit and completions. Then it installs the package into a fresh Debian
# and runs the demo's day with the programs there. Postgres stays outside and is reached over loopback. Finally that
# Debian boots in a container, where systemd runs the unit.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/daemon.sh
source "$root/scripts/daemon.sh"
# shellcheck source=scripts/prerequisites.sh
source "$root/scripts/prerequisites.sh"
# shellcheck source=scripts/package-unit.sh
source "$root/scripts/package-unit.sh"
# shellcheck source=scripts/python.sh
source "$root/scripts/python.sh"
# shellcheck source=scripts/demo.sh
source "$root/scripts/demo.sh"
suite=bookworm
examples=/usr/share/doc/tfi-consumer/examples
# The day has a message for almost every second; with this interval it takes 20 s.
interval=3ms

usage() {
    cat >&2 <<'END'
usage: package-test.sh [--programs FOLDER] [PACKAGE]
Tests the package PACKAGE; by default the one that package.sh builds (--programs as there). It must run as root, since
it uses debootstrap and chroot. DEBIAN_ARCHIVE is the archive to install from; default: apt's first one.
END
    exit 64
}

step() { echo "== $1 ($(date +%T))"; }

wrong() {
    local log
    echo "package-test.sh: $1" >&2
    for log in "$folder"/*.log; do
        [[ ! -s $log ]] || { echo "--- ${log##*/}"; tail -n 8 "$log"; } >&2
    done
    exit 1
}

# Ends the chroot's processes, unmounts and removes it, whatever happened before.
clean_up() {
    local status=$? pid n
    trap - EXIT INT TERM HUP
    for pid in "${jobs[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    for ((n = 0; n < 100; n++)); do
        for pid in "${jobs[@]}"; do
            if kill -0 "$pid" 2>/dev/null; then sleep 0.1; continue 2; fi
        done
        break
    done
    for pid in "${jobs[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
    [[ ! -d $folder/postgres ]] || "$root/scripts/postgres.sh" remove "$folder/postgres" || true
    unmount_all
    # No part of the machine's own file system may be mounted below a folder that is removed.
    if grep -q " $system/" /proc/self/mounts; then
        echo "package-test.sh: something is still mounted below $system" >&2
        exit 70
    fi
    rm -rf --one-file-system "$folder"
    exit "$status"
}

unmount_all() {
    local point
    while read -r point; do
        umount "$point" 2>/dev/null || umount --lazy "$point" || true
    done < <(grep -o " $system/[^ ]*" /proc/self/mounts | tr -d ' ' | sort -r)
}

# Replaces the shell by a command in the chroot, with a clean environment.
enter() {
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        TFI_BOOTSTRAP_SERVERS="127.0.0.1:${broker_port:-9}" TFI_DATABASE="${database:-}" chroot "$system" "$@"
}

inside() { (enter "$@"); }

tool() { inside kafkawire "$@" -b "127.0.0.1:$broker_port"; }

# Prints the first of apt's archives that has the suite.
archive() {
    if [[ -n ${DEBIAN_ARCHIVE:-} ]]; then echo "$DEBIAN_ARCHIVE"; return; fi
    # shellcheck disable=SC2016  # apt's own variables
    apt-get indextargets --format '$(SITE) $(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
        awk -v suite="$suite" '$3 == suite && $4 == "main" { print $2; exit }'
}

check_package() {
    local page file
    step lintian
    lintian --fail-on error,warning "$package" >"$folder/lintian.log" 2>&1 || wrong "lintian reports problems"
    step 'man pages, unit and completions'
    dpkg-deb -x "$package" "$folder/files"
    for page in "$folder"/files/usr/share/man/man1/*.gz; do
        zcat "$page" >"$folder/page"
        mandoc -T lint -W warning "$folder/page" >>"$folder/mandoc.log" || wrong "${page##*/} is no proper man page"
        (($(mandoc -T ascii "$folder/page" | wc -l) > 60)) || wrong "${page##*/} says too little"
    done
    for file in "$folder"/files/usr/share/zsh/vendor-completions/*; do
        zsh -n "$file" || wrong "zsh can't read ${file##*/}"
    done
    check_bash_completion
    if command -v systemd-analyze >/dev/null; then check_unit; fi
}

# Validates against the schemas of Kubernetes' interfaces.
check_kubernetes() {
    local environment=$root/.build/kubernetes
    step 'example for Kubernetes'
    install_python_package "$environment" kubernetes-validate==1.37.0 kubernetes_validate
    "$environment/bin/kubernetes-validate" --strict "$root"/Operations/kubernetes/*.yaml \
        >"$folder/kubernetes.log" 2>&1 ||
        wrong "an example does not fit Kubernetes' schemas"
}

# Prints bash's completions for the last of WORDS.
complete_words() { # WORD...
    (cd "$folder/files/etc/tfi-consumer" && bash -c '
        source "$0/$1"
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        "_${1//-/_}"
        echo "${COMPREPLY[*]}"' "$folder/files/usr/share/bash-completion/completions" "$@")
}

expect_completion() { # EXPECTED WORD...
    local proposals
    proposals=$(complete_words "${@:2}")
    [[ " $proposals " == *" $1 "* ]] || wrong "bash proposes '$proposals' after '${*:2}', without $1"
}

check_bash_completion() {
    expect_completion dead-letters tfi-consumer de
    expect_completion retry tfi-consumer dead-letters ''
    expect_completion --mapping tfi-consumer run --m
    expect_completion plant.env tfi-consumer run --mapping ''
    expect_completion plant.env tfi-consumer run --mapping =
    expect_completion warning tfi-consumer run --log-level w
    expect_completion --replace-views tfi-consumer init --
    expect_completion fake-broker tfi-producer f
    expect_completion plant.env tfi-producer replay --units pl
    expect_completion create kafkawire topics c
    expect_completion --partitions kafkawire topics create --p
    expect_completion zstd kafkawire -P -z z
    [[ $(complete_words tfi-consumer run --group '') == '' ]] || wrong "bash proposes names of groups"
}

# Checks the unit as an instance in a separate root, where the unit's program exists.
check_unit() {
    local unit=$folder/files/lib/systemd/system/tfi-consumer@.service exposure
    sed "s|/usr/bin/tfi-consumer|$folder/files&|; /^Documentation=/d" "$unit" >"$folder/tfi-consumer@test.service"
    systemd-analyze verify "$folder/tfi-consumer@test.service" >"$folder/unit.log" 2>&1 ||
        wrong "systemd-analyze refuses the unit"
    [[ ! -s $folder/unit.log ]] || wrong "systemd-analyze complains about the unit"
    # 10 is a service without any protection; 2 is the limit for "OK".
    exposure=$(systemd-analyze security --offline=yes --no-pager "$folder/tfi-consumer@test.service" |
        sed -n 's/.*Overall exposure level.*: \([0-9.]*\) .*/\1/p')
    awk -v exposure="$exposure" 'BEGIN { exit !(exposure != "" && exposure < 2) }' ||
        wrong "the unit's exposure is $exposure"
    echo "exposure of the unit, of 10: $exposure"
}

install_package() {
    local source
    source=$(archive)
    [[ -n $source ]] || fail "apt has no archive of $suite: set DEBIAN_ARCHIVE" 69
    step "a fresh $suite"
    timeout 1200 debootstrap --variant=minbase "$suite" "$system" "$source" >"$folder/debootstrap.log" 2>&1 ||
        wrong "debootstrap failed"
    mount -t proc proc "$system/proc"
    mount -t tmpfs -o size=64m tmpfs "$system/dev"
    mknod -m 666 "$system/dev/null" c 1 3
    mknod -m 666 "$system/dev/urandom" c 1 9
    mknod -m 666 "$system/dev/random" c 1 8
    ln -s /proc/self/fd "$system/dev/fd"
    # Prevent services from starting in the chroot.
    printf '#!/bin/sh\nexit 101\n' >"$system/usr/sbin/policy-rc.d"
    chmod 755 "$system/usr/sbin/policy-rc.d"
    cp "$package" "$system/root/tfi-consumer.deb"
    step 'apt-get install'
    timeout 600 chroot "$system" apt-get update -qq >"$folder/apt.log" 2>&1 || wrong "apt-get update failed"
    # Install only the declared dependencies, so that an undeclared library is missing.
    DEBIAN_FRONTEND=noninteractive timeout 900 chroot "$system" apt-get install -y -qq --no-install-recommends \
        /root/tfi-consumer.deb >>"$folder/apt.log" 2>&1 || wrong "cannot install the package"
    [[ -z $(inside dpkg --verify tfi-consumer) ]] || wrong "files differ from those of the package"
    [[ $(inside stat -c '%a %U' /etc/tfi-consumer/plant.env) == '640 root' ]] || wrong "plant.env has other rights"
    for program in tfi-consumer tfi-producer kafkawire; do
        [[ $(inside "$program" --version) == "$program ${version//\~/-}" ]] || wrong "$program does not start"
    done
}

# Starts a program in the chroot in the background, and sets `started` to its process id.
start_inside() { # LOG COMMAND...
    local log=$1
    shift
    enter "$@" >"$folder/$log.log" 2>&1 &
    started=$!
    jobs+=("$started")
}

await() { # SECONDS SENTENCE COMMAND...
    local n
    for ((n = 0; n < $1 * 5; n++)); do
        if "${@:3}" >/dev/null 2>&1; then return 0; fi
        sleep 0.2
    done
    wrong "$2"
}

has_ended() { [[ -z $(start_time "$1") ]]; } # PID

# Fetches a page of the consumer using only bash.
fetch() { # PATH [LINES]
    exec 7<>"/dev/tcp/127.0.0.1/$http_port" || return 1
    printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' "$1" >&7
    if (($# > 1)); then
        timeout 20 head -n "$2" <&7 || true
    else
        timeout 20 cat <&7 || true
    fi
    exec 7>&-
}

# Acts as systemd for a service of Type=notify: writes the program's reports to manager.log, one per line.
listen_as_manager() {
    python3 -c '
import socket, sys
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(sys.argv[1])
while True:
    print(manager.recv(4096).decode(), flush=True)' "$system/run/manager" >"$folder/manager.log" 2>&1 &
    jobs+=($!)
    await 10 'no socket for the reports' test -S "$system/run/manager"
}

is_ready() { [[ $(fetch /readyz) == HTTP/1.1\ 200* ]]; }
all_rows() {
    [[ $(demo_psql -c 'SELECT (SELECT count(*) FROM workshop.ucp) + (SELECT count(*) FROM workshop.uc)') == "$total" ]]
}

run_day() {
    local consumer producer status=0 page events different
    step 'broker, Postgres and schema'
    database=$("$root/scripts/postgres.sh" up "$folder/postgres" --owner "$$")
    export TFI_DATABASE=$database
    read -r broker_port http_port < <(free_ports 2 | paste -s -d ' ')
    start_inside broker tfi-producer fake-broker --port "$broker_port"
    await 20 'the broker does not answer' tool -L
    tool topics create TFI --partitions 4 >"$folder/topic.log" 2>&1 || wrong "the topic could not be made"
    inside tfi-consumer init >"$folder/init.log" 2>&1 || wrong "the schema could not be made"
    check_mappings
    step "the demo's day"
    total=$(($(cat "$root"/Fixtures/day/unit_c*.csv | wc -l) - 2))
    listen_as_manager
    start_inside consumer env NOTIFY_SOCKET=/run/manager WATCHDOG_USEC=2000000 \
        tfi-consumer run --wait --http "127.0.0.1:$http_port"
    consumer=$started
    await 30 'the consumer is not ready' is_ready
    await 10 'the consumer does not report READY=1' grep -qx READY=1 "$folder/manager.log"
    TFI_HTTP=127.0.0.1:$http_port "$root/Operations/image/healthcheck" || wrong "the image's health check fails"
    if TFI_HTTP=127.0.0.1:9 "$root/Operations/image/healthcheck" 2>/dev/null; then
        wrong "the image's health check succeeds without a server"
    fi
    start_inside producer tfi-producer replay --units "$examples/day/unit_collection_point.csv" \
        --concerns "$examples/day/unit_concern.csv" --interval "$interval"
    producer=$started
    # Two pictures: the first one, and a later one.
    page=$(fetch /)
    events=$(fetch /events 12)
    await 120 'the producer does not end' has_ended "$producer"
    wait "$producer" || wrong "the producer ended with an error"
    await 60 "not all of the $total messages are in the database" all_rows
    kill -TERM "$consumer"
    await 30 'the consumer does not end' has_ended "$consumer"
    wait "$consumer" || status=$?
    ((status == 0)) || wrong "the consumer ended with status $status"
    (($(grep -cx WATCHDOG=1 "$folder/manager.log") > 3)) || wrong "the consumer does not report WATCHDOG=1"
    different=$(demo_psql -v expected="$(cat "$root/Fixtures/day/expected.json")" <<<"$check_sql") ||
        wrong "the views could not be compared with Fixtures/day/expected.json"
    [[ -z $different ]] || wrong "not as the day has it: ${different//$'\n'/, }"
    [[ $(demo_psql -c 'SELECT count(*) FROM workshop.dead_letter') == 0 ]] || wrong "there are dead letters"
    [[ $page == HTTP/1.1\ 200* && $page == *'<html'* ]] || wrong "/ is no page: ${page:0:200}"
    [[ $events == HTTP/1.1\ 200* && $events == *text/event-stream* && $events == *data:* ]] ||
        wrong "/events has no picture: ${events:0:400}"
    echo "$total messages, each once; every view is as expected; the page and its events were served"
}

# Checks that the example mappings match their tables.
check_mappings() {
    demo_psql -q -f "$system$examples/mappings/press.sql"
    demo_psql -q -c 'ALTER TABLE workshop.ucp ADD COLUMN plant text; ALTER TABLE workshop.uc ADD COLUMN plant text'
    local name
    tool topics create press-1 machine-state north south >>"$folder/topic.log" 2>&1 ||
        wrong "topics could not be made"
    printf '%s\n' '{"head":{"machine":"P4"},"ts":1710230400000,"local":"12.03.2024 09:00:00","w":1.5,"operator":7}' |
        tool -P -t press-1
    printf '%s\n' '{"machine":"P4","state":"running","since":"2024-03-12T08:00:00Z"}' |
        tool -P -t machine-state
    for name in press plants plant; do
        inside tfi-consumer check --mapping "$examples/mappings/$name.yaml" >"$folder/check-$name.log" 2>&1 ||
            wrong "the example mapping $name does not fit"
    done
    (($(grep -c ': 1 records, 1 rows' "$folder/check-press.log") == 2)) || wrong "the mapping press takes no messages"
    demo_psql -q -c 'ALTER TABLE workshop.ucp DROP COLUMN plant; ALTER TABLE workshop.uc DROP COLUMN plant'
}

check_purged() {
    local left
    left=$(find "$system/etc" "$system/usr" "$system/var/lib" \( -name '*tfi-*' -o -name '*kafkawire*' \) \
        -not -path '*/dpkg/*')
    [[ -z $left ]] || wrong "left behind: $left"
}

programs=() package=''
while (($#)); do
    case $1 in
        --programs) (($# >= 2)) || usage; programs=(--programs "$2"); shift 2 ;;
        -*) usage ;;
        *) [[ -z $package ]] || usage; package=$(realpath -- "$1"); shift ;;
    esac
done
((EUID == 0)) || fail "run it as root" 77
need_packages package package-test postgres python
folder=$(mktemp -d /var/tmp/package-test-XXXXXX)
# Postgres's user needs access to its data in this folder.
chmod 711 "$folder"
system=$folder/system
jobs=() started=''
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
if [[ -z $package ]]; then
    step package
    package=$("$root/scripts/package.sh" "${programs[@]}")
fi
[[ -f $package ]] || fail "no package $package" 66
version=$(dpkg-deb -f "$package" Version)
check_package
check_kubernetes
install_package
run_day
run_unit
check_purged
echo "all tests of the package passed: $package"
