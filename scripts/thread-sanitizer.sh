#!/usr/bin/env bash
# Runs the unit tests with the thread sanitizer, and fails on any report as on any test. It takes a build of its own and
# some minutes more, so it isn't part of the other tests.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/daemon.sh
source "$root/scripts/daemon.sh"
# shellcheck source=scripts/prerequisites.sh
source "$root/scripts/prerequisites.sh"

usage() {
    cat >&2 <<'END'
usage: thread-sanitizer.sh [FILTER]...
FILTER is a regular expression for `swift test --filter`; all unit tests run where there is none.
END
    exit 64
}

# Prints what the processes have reported, those that tests start among them.
thread_sanitizer_reports() { # FOLDER
    find "$1" -name 'report.*' -size +0 -exec cat {} +
}

# What has a build of its own, since the sanitizer is compiled in.
run_with_thread_sanitizer() { # FILTER...
    local build=$root/.build/thread-sanitizer filter status=0 arguments=() reports
    for filter; do arguments+=(--filter "$filter"); done
    reports=$build/reports
    cd "$root"
    mkdir -p "$build"
    rm -rf "$reports"
    mkdir "$reports"
    swift_build --build-tests --sanitize=thread --scratch-path "$build" >"$build.log" 2>&1 ||
        { tail -n 20 "$build.log" >&2; return 70; }
    # A report goes into a file: the programs that tests start have theirs read by the tests, or by nobody. One test runs
    # at a time: beside the long ones, which are long here, those that await something would have none.
    TSAN_OPTIONS="log_path=$reports/report:halt_on_error=0${TSAN_OPTIONS:+:$TSAN_OPTIONS}" \
        swift test --skip-build --sanitize=thread --scratch-path "$build" --no-parallel "${arguments[@]}" || status=$?
    if [[ -n $(thread_sanitizer_reports "$reports") ]]; then
        thread_sanitizer_reports "$reports" >&2
        echo "$(thread_sanitizer_reports "$reports" | grep -c '^WARNING: ThreadSanitizer') reports: see $reports" >&2
        status=1
    fi
    return "$status"
}

case ${1:-} in -*) usage ;; esac
filters=("$@")
((${#filters[@]})) || filters=('^(KafkaWire|KafkaWireTool|PGWire|CommandLineSupport|TFIConsumer|TFIProducer)Tests\.')
run_with_thread_sanitizer "${filters[@]}"
