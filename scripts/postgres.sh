#!/usr/bin/env bash
# Runs a Postgres server on 127.0.0.1 with this machine's programs, for tests, the demo and benchmarks.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/daemon.sh
source "$here/daemon.sh"

usage() {
    cat >&2 <<'END'
usage: postgres.sh up DIR [--port P] [--set name=value]... [--owner PID]
       postgres.sh down DIR     stop the server, keep the data
       postgres.sh abort DIR    stop it by an immediate shutdown: the next start recovers from its log
       postgres.sh remove DIR   kill the server and remove DIR
       postgres.sh start DIR    start it again, with its port and data
       postgres.sh kill DIR     kill its processes at once, as a crash would
       postgres.sh bin          the folder of the server's programs
`up` creates the database `workshop`, prints its URI and stores it in DIR/uri. The log is DIR/log. Connections from
127.0.0.1 are trusted. --set adds a server setting. With --owner the server is killed and DIR is removed when process
PID has ended. If root runs this, the server runs as the user postgres.
Environment: POSTGRES_HOME (a folder with bin/initdb; default: the newest version on this machine).
END
    exit 64
}

# Prints the folder with initdb and postgres. Debian keeps each version in its own folder outside PATH.
find_programs() {
    local found
    if [[ -n ${POSTGRES_HOME:-} ]]; then
        found=$POSTGRES_HOME/bin
    else
        found=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
        [[ -x $found/initdb ]] || found=$(dirname "$(command -v initdb || echo /missing/initdb)")
    fi
    [[ -x $found/initdb && -x $found/postgres ]] ||
        fail "no Postgres server found: install it (on Debian: apt-get install postgresql) or set POSTGRES_HOME" 69
    echo "$found"
}

# Runs a command as the user that runs the server, since Postgres refuses root.
as_server() {
    if ((EUID == 0)); then
        setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"
    else
        "$@"
    fi
}

# Handles a zombie: where process 1 does not reap ended processes (in many containers), a killed server stays as a
# zombie, which Postgres takes for a running server.
forget_zombie() { # DIR
    local pid data
    data=$(cat "$1/data-folder")
    [[ -f $data/postmaster.pid ]] || return 0
    read -r pid <"$data/postmaster.pid" || return 0
    [[ -n $(start_time "$pid") ]] || rm -f "$data/postmaster.pid" "$1"/.s.PGSQL.*.lock
}

start_server() { # DIR
    local dir=$1 n pid command
    [[ -f $dir/port ]] || fail "no server in $dir" 64
    [[ -z $(running_pid "$dir/pid") ]] || fail "the server of $dir is already running"
    command=("$(cat "$dir/programs")/postgres" -D "$(cat "$dir/data-folder")")
    ((EUID != 0)) || command=(setpriv --reuid=postgres --regid=postgres --init-groups -- "${command[@]}")
    forget_zombie "$dir"
    launch "$dir/pid" "$dir/log" "${command[@]}"
    for ((n = 0; n < 600; n++)); do
        if "$(cat "$dir/programs")/pg_isready" -q -h 127.0.0.1 -p "$(cat "$dir/port")"; then return 0; fi
        pid=$(running_pid "$dir/pid")
        if [[ -z $pid ]]; then
            tail -n 15 "$dir/log" >&2
            echo "postgres.sh: the server ended while it started" >&2
            return 1
        fi
        sleep 0.1
    done
    echo "postgres.sh: the server was not ready in 60 s: see $dir/log" >&2
    return 1
}

# Kills the first process and all of its children, so that only what was on disk is left.
kill_server() { # DIR
    local pid children
    pid=$(running_pid "$1/pid")
    if [[ -n $pid ]]; then
        kill -STOP "$pid" 2>/dev/null || true
        children=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null || pgrep -P "$pid" || true)
        # shellcheck disable=SC2086  # a list
        kill -KILL "$pid" $children 2>/dev/null || true
    fi
    end_process "$1/pid" KILL
    local child n
    for child in ${children:-}; do
        for ((n = 0; n < 200; n++)); do
            [[ -n $(start_time "$child") ]] || break
            sleep 0.02
        done
    done
}

up() { # DIR [OPTION]...
    local dir=$1 port=0 owner='' settings=() programs data socket attempt
    shift
    while (($#)); do
        (($# >= 2)) || usage
        case $1 in
            --port) port=$2 ;;
            --set) [[ $2 == *=* ]] || usage; settings+=("$2") ;;
            --owner) owner=$2 ;;
            *) usage ;;
        esac
        shift 2
    done
    [[ $port =~ ^[0-9]+$ ]] || usage
    programs=$(find_programs)
    [[ ! -e $dir/programs ]] || fail "$dir is in use: remove it first (postgres.sh remove $dir)" 73
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    echo "$programs" >"$dir/programs"
    data=$dir/data
    if ((EUID == 0)); then
        id postgres >/dev/null 2>&1 || fail "there is no user postgres to run the server as" 69
        chown postgres "$dir"
        # The server cannot reach its data below a folder that only root may enter, such as root's home.
        as_server test -x "$dir" || { data=$(mktemp -d /var/tmp/postgres-XXXXXX); chown postgres "$data"; }
    fi
    echo "$data" >"$dir/data-folder"
    [[ -z $owner ]] || start_guard "$here/postgres.sh" "$dir" "$owner"
    as_server "$programs/initdb" -D "$data" -U postgres --auth=trust --encoding=UTF8 --locale=C --no-sync \
        --no-instructions >>"$dir/log" 2>&1 || { tail -n 15 "$dir/log" >&2; fail "initdb failed: see $dir/log" 73; }
    # The path of a Unix socket has at most 107 bytes.
    socket=$dir
    if [[ $data != "$dir"/* ]] || ((${#dir} > 85)); then socket=''; fi
    for attempt in 1 2 3; do
        local chosen=$port
        ((port > 0)) || chosen=$(free_ports 1)
        echo "$chosen" >"$dir/port"
        as_server tee "$data/postgresql.auto.conf" >/dev/null <<END
listen_addresses = '127.0.0.1'
port = $chosen
unix_socket_directories = '$socket'
shared_buffers = 256MB
max_wal_size = 4GB
max_connections = 300
END
        local setting
        for setting in "${settings[@]}"; do
            echo "${setting%%=*} = '${setting#*=}'" | as_server tee -a "$data/postgresql.auto.conf" >/dev/null
        done
        if start_server "$dir"; then
            "$programs/createdb" -h 127.0.0.1 -p "$chosen" -U postgres workshop
            echo "postgresql://postgres@127.0.0.1:$chosen/workshop" | tee "$dir/uri"
            return
        fi
        if ((port > 0 || attempt == 3)) || ! grep -qs 'Address already in use' "$dir/log"; then break; fi
        echo "postgres.sh: the port is already in use; trying another" >&2
    done
    fail "Postgres did not start: see $dir/log" 69
}

(($#)) || usage
action=$1
shift
if [[ $action == bin ]]; then find_programs; exit; fi
(($#)) || usage
if [[ $action == up ]]; then up "$@"; exit; fi
[[ -d $1 && $# == 1 ]] || { [[ $# == 1 ]] || usage; fail "no folder $1" 66; }
dir=$(cd "$1" && pwd)
case $action in
    down) end_process "$dir/pid" INT ;; # SIGINT is Postgres's fast shutdown
    abort) end_process "$dir/pid" QUIT ;;
    abandon | remove)
        kill_server "$dir"
        if [[ -f $dir/data-folder && $(cat "$dir/data-folder") == /var/tmp/postgres-* ]]; then
            rm -rf -- "$(cat "$dir/data-folder")"
        fi
        remove_folder "$dir" programs ;;
    start) start_server "$dir" || exit 69 ;;
    kill) kill_server "$dir" ;;
    *) usage ;;
esac
