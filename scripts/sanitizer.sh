#!/usr/bin/env bash
# Runs the unit tests with the address or the thread sanitizer. A report fails it, and so does a test. The sanitizer is
# compiled in, so it has a build of its own.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/daemon.sh
source "$root/scripts/daemon.sh"
# shellcheck source=scripts/prerequisites.sh
source "$root/scripts/prerequisites.sh"
# shellcheck source=scripts/reports.sh
source "$root/scripts/reports.sh"

usage() {
    cat >&2 <<'END'
usage: sanitizer.sh address|thread [FILTER]...
FILTER is a regular expression for `swift test --filter`. Without one all unit tests run.
END
    exit 64
}

# Runs tests of the sanitizer's build. Reports go into files: the programs that tests start have their output read by
# the tests, or by nobody.
run_sanitized() { # SANITIZER BUILD REPORTS [ARG]... for `swift test`
    local sanitizer=$1 build=$2 reports=$3
    shift 3
    ASAN_OPTIONS=$(address_options "$reports") \
        TSAN_OPTIONS="log_path=$reports/report:halt_on_error=0${TSAN_OPTIONS:+:$TSAN_OPTIONS}" \
        swift test --skip-build --sanitize="$sanitizer" --scratch-path "$build" "$@"
}

run_with_sanitizer() { # SANITIZER [FILTER]...
    local sanitizer=$1 build=$root/.build/$1-sanitizer filter status=0 arguments=() connections='' reports
    shift
    if (($# == 0)); then
        set -- '^(KafkaWire|KafkaWireTool|PGWire|CommandLineSupport|IngestEngine|TFIConsumer|TFIProducer)Tests\.'
        connections='(Connection|Release)Tests/'
        export TFI_UNIT_TESTS_ONLY=1
    fi
    for filter; do arguments+=(--filter "$filter"); done
    reports=$(new_reports "$build")
    cd "$root"
    swift_build --build-tests --sanitize="$sanitizer" --scratch-path "$build" >"$build.log" 2>&1 ||
        { tail -n 20 "$build.log" >&2; return 70; }
    case $sanitizer in
        address)
            # As in scripts/test.sh: tests of connections count threads and measure time, so they run by themselves. Four at a
            # time, since each takes two or three times as long here, and their time limits are the same.
            [[ -z $connections ]] || arguments+=(--skip "$connections")
            run_sanitized "$sanitizer" "$build" "$reports" --experimental-maximum-parallelization-width 4 \
                "${arguments[@]}" || status=$?
            [[ -z $connections ]] ||
                run_sanitized "$sanitizer" "$build" "$reports" --filter "$connections" || status=$? ;;
        thread)
            # One test at a time: beside the long ones, which are slow here, those that wait would have no time.
            run_sanitized "$sanitizer" "$build" "$reports" --no-parallel "${arguments[@]}" || status=$? ;;
    esac
    print_reports "$reports" || status=1
    return "$status"
}

case ${1:-} in
    address | thread) run_with_sanitizer "$@" ;;
    *) usage ;;
esac
