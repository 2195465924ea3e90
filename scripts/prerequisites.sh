# shellcheck shell=bash
# Checks and installs what the machine needs beside the Swift toolchain. Sourced by control-env.sh, after daemon.sh.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Runs `swift build` so that it compiles only what has changed. SwiftPM passes traits to the compiler in random order,
# and another order than last time would recompile everything. The index of the sources stays on, since SwiftPM finds
# tests in it.
swift_build() { SWIFT_DETERMINISTIC_HASHING=1 swift build "$@"; }

# Prints Debian's packages that are missing for a purpose, one per line.
# build | psql | postgres | pgbouncer | kcat | java | jdk | librdkafka | python | chromium | lint | package | package-test
missing_packages() { # PURPOSE
    local pair
    case $1 in
        build)
            command -v pkg-config >/dev/null || echo pkg-config
            for pair in libpq:libpq-dev zlib:zlib1g-dev libisal:libisal-dev snappy:libsnappy-dev liblz4:liblz4-dev \
                libzstd:libzstd-dev openssl:libssl-dev yaml-0.1:libyaml-dev libmicrohttpd:libmicrohttpd-dev; do
                pkg-config --exists "${pair%:*}" 2>/dev/null || echo "${pair#*:}"
            done ;;
        psql) command -v psql >/dev/null || echo postgresql-client ;;
        postgres)
            "$root/scripts/postgres.sh" bin >/dev/null 2>&1 || echo postgresql
            command -v psql >/dev/null || echo postgresql-client ;;
        # Debian installs it in a folder that is not in every user's PATH.
        pgbouncer) [[ -x /usr/sbin/pgbouncer ]] || command -v pgbouncer >/dev/null || echo pgbouncer ;;
        # The other program for a terminal, which the tests compare kafkawire with.
        kcat) command -v kcat >/dev/null || echo kcat ;;
        java)
            command -v "${JAVA_HOME:+$JAVA_HOME/bin/}java" >/dev/null || echo default-jre-headless
            # For the certificates of brokers with TLS.
            command -v openssl >/dev/null || echo openssl
            # The tests read the message definitions in Kafka's archives.
            command -v unzip >/dev/null || echo unzip ;;
        # Java with a compiler: other clients that the tests run against are single-file programs.
        jdk)
            "${JAVA_HOME:+$JAVA_HOME/bin/}java" --list-modules 2>/dev/null | grep -q '^jdk.compiler' ||
                echo default-jdk-headless ;;
        python) python3 -c 'import venv, ensurepip' 2>/dev/null || echo python3-venv ;;
        chromium)
            command -v chromium >/dev/null || echo chromium
            command -v chromedriver >/dev/null || echo chromium-driver
            # Without any font a browser shows boxes, whose widths are meaningless.
            [[ -n $(find /usr/share/fonts -name '*.[ot]tf' -print -quit 2>/dev/null) ]] || echo fonts-dejavu-core ;;
        librdkafka) pkg-config --exists rdkafka 2>/dev/null || echo librdkafka-dev ;;
        lint) command -v shellcheck >/dev/null || echo shellcheck ;;
        package)
            command -v dpkg-shlibdeps >/dev/null || echo dpkg-dev
            command -v strip >/dev/null || echo binutils
            command -v python3 >/dev/null || echo python3 ;;
        # The package's test needs these beside Postgres.
        package-test)
            command -v debootstrap >/dev/null || echo debootstrap
            command -v lintian >/dev/null || echo lintian
            command -v mandoc >/dev/null || echo mandoc
            command -v systemd-nspawn >/dev/null || echo systemd-container
            command -v zsh >/dev/null || echo zsh ;;
    esac
}

# Ensures that the packages for the purposes are installed: installs them as root, otherwise prints the command.
need_packages() { # PURPOSE...
    local purpose missing=()
    for purpose in "$@"; do
        mapfile -t -O "${#missing[@]}" missing < <(missing_packages "$purpose")
    done
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null ||
        fail "missing on this machine (by the names of Debian's packages): ${missing[*]}" 69
    ((EUID == 0)) || fail "some packages are missing; install them with: sudo apt-get install -y ${missing[*]}" 69
    echo "installing ${missing[*]}" >&2
    local log
    log=$(mktemp)
    if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "${missing[@]}"; } >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        fail "apt-get install ${missing[*]} failed: see $log" 69
    fi
    rm -f "$log"
}

# Prints the Kafka distributions to use, separated by colons, the newest last; nothing if there is none.
kafka_homes() {
    local home homes=''
    if [[ -n ${KAFKA_HOMES:-} ]]; then
        echo "$KAFKA_HOMES"
    elif [[ -n ${KAFKA_HOME:-} ]]; then
        echo "$KAFKA_HOME"
    else
        for home in "$root"/../shared/kafka/*/; do
            home=${home%/}
            [[ ! -d $home/libs ]] || homes+="$(cd "$home" && pwd)"$'\n'
        done
        printf '%s' "$homes" | sort -V | paste -s -d : -
    fi
}

# Prints the distribution to use if one is enough.
kafka_home() {
    local homes
    homes=$(kafka_homes)
    echo "${KAFKA_HOME:-${homes##*:}}"
}
