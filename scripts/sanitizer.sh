#!/usr/bin/env bash
# Runs the unit tests with the address or the thread sanitizer. A report or a failed test fails the run. The sanitizer
# is compiled in, so it has a separate build.
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
       sanitizer.sh client                    run the client's unit tests with the thread sanitizer
       sanitizer.sh build address|thread|client
                                              build the unit tests without running them
FILTER is a regular expression for `swift test --filter`. Without one all unit tests run.
END
    exit 64
}

# In CI everything is compiled exactly once: whole-module compilation then takes a fifth less time.
build_tests() { # SANITIZER [BUILD]
    local build=${2:-$root/.build/$1-sanitizer} options=()
    [[ ${CI:-} != true ]] || options=(-Xswiftc -whole-module-optimization -Xswiftc -num-threads -Xswiftc 2)
    cd "$root"
    swift_build --build-tests --sanitize="$1" --scratch-path "$build" "${options[@]}" >"$build.log" 2>&1 ||
        { tail -n 20 "$build.log" >&2; return 70; }
}

# Runs tests of the sanitizer's build. Reports go to files, since the output of programs is read by the tests that start
# them, or not at all.
run_sanitized() { # SANITIZER BUILD REPORTS [ARG]... for `swift test`
    local sanitizer=$1 build=$2 reports=$3
    shift 3
    ASAN_OPTIONS=$(address_options "$reports") \
        TSAN_OPTIONS="log_path=$reports/report:halt_on_error=0${TSAN_OPTIONS:+:$TSAN_OPTIONS}" \
        swift test --ignore-lock --skip-build --sanitize="$sanitizer" --scratch-path "$build" "$@"
}

# Runs all unit tests. A test that computes for seconds delays other tests of its process, and those that measure time
# then fail. So the client's tests, which do, run in one process and the rest in another. The tests of connections,
# which also count threads, run by themselves, as in scripts/test.sh. Four tests run at a time, since each takes two or
# three times as long as without the sanitizer.
run_unit_tests() { # SANITIZER BUILD REPORTS
    local rest status=0 width=(--experimental-maximum-parallelization-width 4)
    local connections='(Connection|Release)Tests/'
    run_sanitized "$@" "${width[@]}" --skip "$connections" --skip '^KafkaWireTests\.' >"$2.rest.log" 2>&1 &
    rest=$!
    run_sanitized "$@" "${width[@]}" --skip "$connections" --filter '^KafkaWireTests\.' || status=$?
    wait "$rest" || status=$?
    cat "$2.rest.log"
    run_sanitized "$@" --filter "$connections" || status=$?
    return "$status"
}

# Runs the client's unit tests with the thread sanitizer, in a build of their own. The client and the fake broker have nearly
# all of the threads. All unit tests with this sanitizer would take too long for CI.
run_client_tests() {
    local build=$root/.build/thread-client log=$root/.build/thread-client.tests.log status=0 reports
    local connections='(Connection|Release)Tests/'
    reports=$(new_reports "$build")
    build_client_tests
    {
        run_sanitized thread "$build" "$reports" --experimental-maximum-parallelization-width 4 --skip "$connections" &&
            run_sanitized thread "$build" "$reports" --filter "$connections"
    } 2>&1 | tee "$log" || status=$?
    # Both runs must have had tests.
    if ((status == 0)) && (($(grep -cE ' Test run with [1-9][0-9]* tests? .*passed' "$log") != 2)); then
        echo 'some tests did not run' >&2
        status=1
    fi
    failed_tests "$log" | sed 's/^[^ ]* *//; s/^/failed: /'
    print_reports "$reports" || status=1
    return "$status"
}

build_client_tests() {
    export TFI_CLIENT_TESTS_ONLY=1
    build_tests thread "$root/.build/thread-client"
}

run_with_sanitizer() { # SANITIZER [FILTER]...
    local sanitizer=$1 build=$root/.build/$1-sanitizer log=$root/.build/$1-sanitizer.tests.log filter status=0
    local arguments=() reports
    shift
    (($#)) || export TFI_UNIT_TESTS_ONLY=1
    for filter; do arguments+=(--filter "$filter"); done
    reports=$(new_reports "$build")
    build_tests "$sanitizer"
    if [[ $sanitizer == thread ]] || (($#)); then
        # One test at a time: the long ones are slow here, and tests beside them would time out.
        run_sanitized "$sanitizer" "$build" "$reports" --no-parallel "${arguments[@]}" 2>&1 | tee "$log" || status=$?
    else
        run_unit_tests "$sanitizer" "$build" "$reports" 2>&1 | tee "$log" || status=$?
    fi
    failed_tests "$log" | sed 's/^[^ ]* *//; s/^/failed: /'
    print_reports "$reports" || status=1
    return "$status"
}

case ${1:-} in
    build)
        [[ $# == 2 && $2 =~ ^(address|thread|client)$ ]] || usage
        if [[ $2 == client ]]; then
            build_client_tests
            exit
        fi
        export TFI_UNIT_TESTS_ONLY=1
        build_tests "$2" ;;
    client)
        (($# == 1)) || usage
        run_client_tests ;;
    address | thread) run_with_sanitizer "$@" ;;
    *) usage ;;
esac
