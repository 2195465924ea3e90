#!/usr/bin/env bash
# The one command around the project: a seed environment (Kafka and Postgres), the demo, all tests, the benchmark.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/daemon.sh
source "$root/scripts/daemon.sh"
# shellcheck source=scripts/prerequisites.sh
source "$root/scripts/prerequisites.sh"
# shellcheck source=scripts/environment.sh
source "$root/scripts/environment.sh"
state=${TFI_ENV_DIR:-$root/.build/env}

usage() {
    cat >&2 <<'END'
usage: control-env.sh COMMAND
  start                start Kafka and Postgres (again), print where they are
  stop                 stop them, keep their data
  cleanup              stop them and remove their data
  status               what runs, and the consumer's lag
  psql [ARG]...        psql on the environment's database
  consumer [ARG]...    tfi-consumer with the environment's broker and database
  producer [ARG]...    tfi-producer with the environment's broker
  superset [--port 8088]  Apache Superset with a dashboard of the tiles, on 127.0.0.1 until Ctrl-C: in Docker if the
                       environment is, else installed below .build/. Prints the address, a user and a new password
  demo [--interval 8ms] [--stay]  everything at once: builds, starts all on free ports, replays a day of the plant,
                       prints the address of the live page, shows the tiles' numbers as they grow, checks the whole
                       day's, and stops what it started; with --stay, when you press Ctrl-C
  test [ARG]...        every test that this machine can run; arguments go to `swift test`
  test --quick         the unit tests without the slow half, in seconds
  bench [--records 5000000] [--partitions 4] [--rounds 5] [--workers N] [--postgres FOLDER] [--peers DIR]
        [--mapping wide | --mode upsert | --into unique|brin|partitions]
                       `psql \copy` and `tfi-consumer run` of the same rows, in turn: the plant's messages; wide ones
                       (--records 1000000); by upsert, half of whose keys are known, beside the same statements in
                       psql; or into tables with a unique or BRIN index or range partitions. With --workers N members
                       of a group (and beside one \copy, if N > 1, N at once), else one run with --standalone. FOLDER
                       has bin/initdb of the server to use; `scripts/postgres-packages.sh install` prints those of
                       Postgres 17 and 18
  bench --client [--records 5000000] [--partitions 4] [--rounds 3] [--codecs "none lz4 zstd"] [--peers DIR]
                       KafkaWire and librdkafka reading and writing the same records, in turn
  bench --latency [--rate 1000] [--seconds 60] [--backlog 0] [--rounds 1] [--against PROGRAM]
                       the time from a record's append to its row's visibility, also while one partition reads a backlog
                       of so many records; in turn with another build of tfi-consumer
  chaos [--minutes 1] [--seed N] [--rate 2000] [--standalone] [--logs .build/chaos]
                       three brokers, Postgres, consumers and a producer, with one fault per second: processes are
                       killed, connections cut, servers restarted; at the end each record must be in the tables exactly
                       once. The same seed makes the same faults
Kafka and Postgres run in Docker where `docker compose` has an engine; else Kafka runs from KAFKA_HOME (the folder of
any Kafka distribution) and Postgres from this machine's own programs; else the demo takes a broker in memory.
Environment: KAFKA_HOME, KAFKA_HOMES (several for the tests, colons between), POSTGRES_HOME, TFI_ENV_DIR (where the
environment is kept, default .build/env), TFI_ENV_MODE (docker, local or fake instead of what is found),
TFI_KAFKA_PORT and TFI_POSTGRES_PORT (default: 9092 and 5432 with Docker, else free ports).
END
    exit "$1"
}

# Builds tfi-consumer, tfi-producer and further products if they are missing or older than their sources; the first time
# takes minutes.
build_programs() { # [PRODUCT]...
    local product program newer
    for product in tfi-consumer tfi-producer "$@"; do
        program=$root/.build/release/$product
        if [[ -x $program ]]; then
            newer=$(find "$root/Sources" "$root/Package.swift" -newer "$program" -print -quit)
            [[ -n $newer ]] || continue
        fi
        need_packages build
        echo "building $product" >&2
        mkdir -p "$root/.build"
        (cd "$root" && swift_build -c release --product "$product") >"$root/.build/build.log" 2>&1 ||
            { tail -n 30 "$root/.build/build.log" >&2; fail "the build failed: see .build/build.log" 70; }
        # An up-to-date program isn't linked again: its date says that it was looked at.
        touch "$program"
    done
}

# Tells the programs where the environment is, by their own variables; those that are set already stay.
use_environment() { # FOLDER
    [[ -f $1/mode ]] || fail "there is no environment: ./control-env.sh start makes one" 69
    export TFI_BOOTSTRAP_SERVERS=${TFI_BOOTSTRAP_SERVERS:-$(cat "$1/bootstrap")}
    export TFI_DATABASE=${TFI_DATABASE:-$(cat "$1/uri")}
}

(($#)) || usage 64
action=$1
shift
case $action in
    start)
        (($# == 0)) || usage 64
        environment_start "$state"
        echo "Kafka:    $(cat "$state/bootstrap")"
        echo "Postgres: $(cat "$state/uri")"
        echo "next: ./control-env.sh consumer init; ./control-env.sh producer replay; ./control-env.sh consumer run" ;;
    stop) (($# == 0)) || usage 64; environment_stop "$state" ;;
    cleanup) (($# == 0)) || usage 64; environment_remove "$state" ;;
    status)
        (($# == 0)) || usage 64
        environment_status "$state" || exit
        use_environment "$state"
        # Before `init`, or without the topic, the consumer says so; the environment runs all the same.
        [[ ! -x $root/.build/release/tfi-consumer ]] || "$root/.build/release/tfi-consumer" status || true ;;
    psql)
        use_environment "$state"
        need_packages psql
        exec psql "$TFI_DATABASE" "$@" ;;
    consumer | producer)
        use_environment "$state"
        build_programs
        exec "$root/.build/release/tfi-$action" "$@" ;;
    superset)
        use_environment "$state"
        if [[ $(cat "$state/mode") == docker ]]; then
            superset_container "$state" "$@"
        else
            need_packages python
            exec "$root/scripts/superset.sh" serve "$state/superset" "$@"
        fi ;;
    demo)
        # shellcheck source=scripts/demo.sh
        source "$root/scripts/demo.sh"
        demo "$@" ;;
    test)
        # shellcheck source=scripts/reports.sh
        source "$root/scripts/reports.sh"
        # shellcheck source=scripts/test.sh
        source "$root/scripts/test.sh"
        run_tests "$@" ;;
    bench)
        if [[ ${1:-} == --client ]]; then
            # shellcheck source=scripts/bench-client.sh
            source "$root/scripts/bench-client.sh"
            bench_client "${@:2}"
            exit
        fi
        if [[ ${1:-} == --latency ]]; then
            # shellcheck source=scripts/bench-latency.sh
            source "$root/scripts/bench-latency.sh"
            bench_latency "${@:2}"
            exit
        fi
        # shellcheck source=scripts/bench.sh
        source "$root/scripts/bench.sh"
        bench "$@" ;;
    chaos)
        # shellcheck source=scripts/chaos.sh
        source "$root/scripts/chaos.sh"
        chaos "$@" ;;
    help | --help | -h) usage 0 ;;
    *) usage 64 ;;
esac
