#!/usr/bin/env bash
# Runs Apache Superset with the plant's dashboard on 127.0.0.1. It is installed from Python's package index, in a
# virtual environment below .build/.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/daemon.sh
source "$here/daemon.sh"
# shellcheck source=scripts/python.sh
source "$here/python.sh"
root=$(cd "$here/.." && pwd)
environment=$root/.build/superset

usage() {
    cat >&2 <<'END'
usage: superset.sh install              install Superset and print the folder of its programs
       superset.sh serve HOME [--port P]  serve the dashboard of TFI_DATABASE until Ctrl-C, with its data in HOME
       superset.sh test                 import the dashboard and compare each chart with days of the plant (takes minutes)
`test` runs the programs of TFI_PROGRAMS (default: .build/release). TFI_REFERENCE_DAY can name a folder with a further
day to compare: unit_collection_point.csv and unit_concern.csv.
END
    exit 64
}

install() {
    # Superset imports rich and cachetools without declaring them, and works with this flask-caching.
    install_python_package "$environment" apache-superset==6.1.0 superset \
        --constraint "$here/superset-constraints.txt" rich cachetools flask-caching==2.3.1 psycopg2-binary
    echo "$environment/bin"
}

serve() { # HOME [--port P]
    local home=$1 port=8088 programs
    shift
    while (($#)); do
        [[ $1 == --port && $# -ge 2 ]] || usage
        port=$2
        shift 2
    done
    if ! [[ $port =~ ^[1-9][0-9]{0,4}$ ]] || ((port > 65535)); then
        fail "--port takes a number from 1 to 65535, not '$port'" 64
    fi
    # shellcheck disable=SC2188  # the connection alone is the test
    if (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
        fail "port $port of 127.0.0.1 is in use: end the program that uses it, or choose another port with --port" 69
    fi
    [[ -x $environment/bin/superset ]] || echo "installing Superset into .build/superset; this takes minutes" >&2
    programs=$(install)
    mkdir -p "$home"
    home=$(cd "$home" && pwd)
    export SUPERSET_HOME=$home TFI_SUPERSET_PORT=$port PATH=$programs:$PATH
    exec "$here/superset-serve.sh" "$root/Dashboards/superset"
}

run_test() {
    local programs program
    export TFI_PROGRAMS=${TFI_PROGRAMS:-$root/.build/release}
    for program in tfi-consumer tfi-producer; do
        [[ -x $TFI_PROGRAMS/$program ]] ||
            fail "no $TFI_PROGRAMS/$program: swift build -c release --product $program, or set TFI_PROGRAMS" 66
    done
    programs=$(install)
    exec "$programs/python3" -B "$root/Tests/Superset/test_superset.py"
}

(($#)) || usage
action=$1
shift
case $action in
    install) (($# == 0)) || usage; install ;;
    serve) (($#)) || usage; serve "$@" ;;
    test) (($# == 0)) || usage; run_test ;;
    *) usage ;;
esac
