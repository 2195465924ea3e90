#!/usr/bin/env bash
# Serves the plant's dashboard with the Superset in PATH, until SIGINT or SIGTERM. scripts/superset.sh runs it on this
# machine, and docker-compose.yml in a container.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
    cat >&2 <<'END'
usage: superset-serve.sh BUNDLE
Imports the bundle (a folder), creates the user admin with a new password, prints both with the address, and serves.
Environment: SUPERSET_HOME (a folder for Superset's own data), TFI_DATABASE (a PostgreSQL URI), TFI_SCHEMA (default:
workshop), TFI_SUPERSET_PORT (the port to print, default 8088), TFI_SUPERSET_LISTEN (default 127.0.0.1:PORT).
END
    exit 64
}

(($# == 1)) || usage
: "${SUPERSET_HOME:?must name a folder for the data of Superset}"
bundle=$1
port=${TFI_SUPERSET_PORT:-8088}
listen=${TFI_SUPERSET_LISTEN:-127.0.0.1:$port}
export SUPERSET_CONFIG_PATH=$here/superset_config.py FLASK_APP=superset.app:create_app PYTHONDONTWRITEBYTECODE=1
log=$SUPERSET_HOME/log
work='' job='' serving=''

# Ends all started processes. Ctrl-C is the usual way to end the server, and not an error.
# shellcheck disable=SC2317  # the traps call it
end() { # STATUS
    trap - EXIT INT TERM HUP
    if [[ -n $job ]]; then
        kill -TERM "$job" 2>/dev/null || true
        wait "$job" 2>/dev/null || true
    fi
    [[ -z $work ]] || rm -rf -- "$work"
    [[ -z $serving ]] || echo "Superset has ended"
    exit "$1"
}
trap 'end $?' EXIT
trap 'end $((${#serving} ? 0 : 130))' INT
trap 'end $((${#serving} ? 0 : 143))' TERM HUP

# Runs a command in the background, so that a signal can end it at once.
step() { # SENTENCE COMMAND [ARG]...
    local sentence=$1 status=0
    shift
    "$@" </dev/null >>"$log" 2>&1 &
    job=$!
    wait "$job" || status=$?
    job=''
    if ((status)); then
        tail -n 20 "$log" >&2
        echo "superset: $sentence failed: see $log" >&2
        exit 70
    fi
}

umask 077
mkdir -p "$SUPERSET_HOME"
: >"$log"
python3 "$here/superset_prepare.py" check
work=$(mktemp -d)
[[ -s $SUPERSET_HOME/secret_key ]] ||
    python3 -c 'import secrets; print(secrets.token_urlsafe(48))' >"$SUPERSET_HOME/secret_key"
version=$(python3 -c 'from importlib.metadata import version; print(version("apache-superset"))' 2>/dev/null || true)
# Another version may need other tables.
if [[ -z $version || $(cat "$SUPERSET_HOME/prepared" 2>/dev/null) != "$version" ]]; then
    echo "preparing Superset's own data; this takes a minute" >&2
    step "preparing Superset's data (superset db upgrade)" superset db upgrade
    step "preparing Superset's roles (superset init)" superset init
    echo "$version" >"$SUPERSET_HOME/prepared"
fi
TFI_SUPERSET_PASSWORD=$(python3 -c 'import secrets; print(secrets.token_urlsafe(15))')
export TFI_SUPERSET_PASSWORD
python3 "$here/superset_prepare.py" bundle "$bundle" "$work/plant.zip"
echo "importing the dashboard" >&2
if [[ ! -e $SUPERSET_HOME/imported ]]; then
    step "creating the user admin" python3 "$here/superset_prepare.py" user admin
    step "the import of $bundle" superset import-dashboards --path "$work/plant.zip" --username admin
    touch "$SUPERSET_HOME/imported"
else
    step "the import of $bundle" python3 "$here/superset_prepare.py" user admin "$work/plant.zip"
fi
rm -rf -- "$work"
work=''
password=$TFI_SUPERSET_PASSWORD
unset TFI_SUPERSET_PASSWORD

gunicorn --bind "$listen" --workers 1 --worker-class gthread --threads 8 --timeout 120 --graceful-timeout 5 \
    'superset.app:create_app()' </dev/null >>"$log" 2>&1 &
job=$!
for ((n = 0; n < 600; n++)); do
    if ! kill -0 "$job" 2>/dev/null; then
        tail -n 20 "$log" >&2
        echo "superset: it did not start: see $log" >&2
        exit 69
    fi
    # The server may listen on all addresses of a container.
    if python3 -c 'import sys, urllib.request
urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sys.argv[1], timeout=60)' \
        "http://127.0.0.1:${listen##*:}/health" 2>/dev/null; then break; fi
    sleep 0.5
done
((n < 600)) || { echo "superset: it did not answer in five minutes: see $log" >&2; exit 69; }
serving=yes
echo "dashboard: http://127.0.0.1:$port/superset/dashboard/plant/"
echo "user:      admin"
echo "password:  $password   (a new one at each start; it is not stored)"
echo "press Ctrl-C to end"
wait "$job" || true
job='' serving=''
tail -n 20 "$log" >&2
echo "superset: the server ended by itself: see $log" >&2
exit 70
