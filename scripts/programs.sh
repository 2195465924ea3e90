#!/usr/bin/env bash
# Tests kafkawire, tfi-consumer and tfi-producer as shipped, and again with the address sanitizer, between a real Kafka
# with TLS and logins and a real Postgres. The tests are in Tests/ShippedProgramTests. They run in debug; only the
# programs differ.
#
# Both builds are optimised, since a memory error may exist only in an optimised program: in debug an array lives to the
# end of its scope, so that even the sanitizer accepts a pointer that was kept from it.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/daemon.sh
source "$root/scripts/daemon.sh"
# shellcheck source=scripts/prerequisites.sh
source "$root/scripts/prerequisites.sh"
# shellcheck source=scripts/reports.sh
source "$root/scripts/reports.sh"
products=(kafkawire tfi-consumer tfi-producer)

usage() {
    cat >&2 <<'END'
usage: programs.sh build [optimised|address]...            build the programs
       programs.sh run [optimised|address] [ARG]...        build the programs and run the tests; arguments go to
                                                           `swift test`
Without a variant: both. Kafka is the newest of KAFKA_HOMES, or KAFKA_HOME. Without Kafka nothing runs.
END
    exit 64
}

# The build folder of a variant.
build_folder() { # VARIANT
    case $1 in
        optimised) echo "$root/.build" ;;
        # Not the folder of scripts/sanitizer.sh, since both are built at the same time.
        address) echo "$root/.build/address-programs" ;;
    esac
}

build_variant() { # VARIANT
    local product options=()
    [[ $1 != address ]] || options=(--sanitize=address)
    for product in "${products[@]}"; do
        swift_build -c release --product "$product" --scratch-path "$(build_folder "$1")" "${options[@]}" || return
    done
}

# Builds variants in parallel: most of an optimised build is one module, which uses one core.
build_variants() { # VARIANT...
    local variant jobs=() status=0 i
    need_packages build
    mkdir -p "$root/.build"
    cd "$root"
    for variant; do
        build_variant "$variant" >"$root/.build/programs-$variant.log" 2>&1 &
        jobs+=($!)
    done
    for ((i = 0; i < $#; i++)); do
        wait "${jobs[i]}" || { status=70; tail -n 20 "$root/.build/programs-${*:i+1:1}.log" >&2; }
    done
    return "$status"
}

run_variant() { # VARIANT [ARG]...
    local variant=$1 folder reports log=$root/.build/programs.log status=0
    shift
    folder=$(build_folder "$variant")
    reports=$(new_reports "$folder")
    echo "the programs, $variant: $folder/release"
    TFI_PROGRAMS=$folder/release ASAN_OPTIONS=$(address_options "$reports") \
        swift test --skip-build --experimental-maximum-parallelization-width 4 \
        --filter '^ShippedProgramTests\.' "$@" 2>&1 | tee "$log" || status=$?
    print_reports "$reports" || status=1
    # Everything that the tests need is available, so a skip is an error.
    if ((status == 0)) && ! grep -qE ' Test run with [1-9][0-9]* tests? .*passed' "$log"; then
        echo 'no test ran' >&2
        status=1
    fi
    skipped_tests "$log" >&2
    [[ -z $(skipped_tests "$log") ]] || status=1
    return "$status"
}

run_variants() { # [VARIANT] [ARG]...
    local homes variant variants=(optimised address) status=0
    case ${1:-} in
        optimised | address) variants=("$1"); shift ;;
    esac
    homes=$(kafka_homes)
    if [[ -z $homes ]]; then
        echo 'left out: the tests of the optimised programs, since there is no Kafka (set KAFKA_HOME to the folder of a distribution)'
        return 0
    fi
    need_packages build postgres java
    export KAFKA_HOMES=$homes
    cd "$root"
    build_variants "${variants[@]}" || return
    swift_build --build-tests >.build/programs-tests.log 2>&1 || { tail -n 20 .build/programs-tests.log >&2; return 70; }
    for variant in "${variants[@]}"; do run_variant "$variant" "$@" || status=$?; done
    return "$status"
}

(($#)) || usage
action=$1
shift
case $action in
    build)
        (($#)) || set -- optimised address
        for variant; do [[ $variant == optimised || $variant == address ]] || usage; done
        build_variants "$@" ;;
    run) run_variants "$@" ;;
    *) usage ;;
esac
