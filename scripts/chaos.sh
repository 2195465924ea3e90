# shellcheck shell=bash
# Fault injection: Tests/Chaos runs brokers, a Postgres and tfi-consumer, injects one fault per second, and checks that
# no record is lost or doubled. Sourced by control-env.sh, after prerequisites.sh.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

chaos() { # [ARG]... for `Chaos run`
    need_packages build java postgres
    if [[ -z $(kafka_homes) ]]; then fail "no Kafka found: set KAFKA_HOME to the folder of a Kafka distribution" 69; fi
    KAFKA_HOMES=$(kafka_homes)
    export KAFKA_HOMES
    [[ -n ${TFI_PROGRAMS:-} ]] || build_programs
    mkdir -p "$root/.build"
    (cd "$root" && swift_build --product Chaos) >"$root/.build/build.log" 2>&1 ||
        { tail -n 30 "$root/.build/build.log" >&2; fail "the build failed: see .build/build.log" 70; }
    cd "$root" || return
    TFI_PROGRAMS=${TFI_PROGRAMS:-$root/.build/release} exec .build/debug/Chaos run "$@"
}
