# shellcheck shell=bash
# Installs a pinned package from Python's index into a separate virtual environment. Sourced, after daemon.sh.

# Does nothing if MODULE can already be imported. A lock serializes calls, since several test processes may call it.
# Further arguments go to `pip install`.
install_python_package() { # ENVIRONMENT PACKAGE==VERSION MODULE [ARG]...
    local environment=$1 package=$2 module=$3
    shift 3
    mkdir -p "$environment"
    if command -v flock >/dev/null; then
        exec 9>"$environment/lock"
        flock 9
    fi
    if ! "$environment/bin/python3" -c "import $module" 2>/dev/null; then
        command -v python3 >/dev/null || fail "no python3: install it (on Debian: apt-get install python3-venv)" 69
        [[ -x $environment/bin/pip ]] || python3 -m venv "$environment" >"$environment/install.log" 2>&1 ||
            fail "python3 cannot create a virtual environment (on Debian: apt-get install python3-venv)" 69
        "$environment/bin/python3" -m pip install --quiet --disable-pip-version-check "$package" "$@" \
            >>"$environment/install.log" 2>&1 ||
            { tail -n 3 "$environment/install.log" >&2; fail "pip cannot install $package" 69; }
    fi
    if command -v flock >/dev/null; then exec 9>&-; fi
}
