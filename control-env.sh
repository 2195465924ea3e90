#!/usr/bin/env bash
# The project's main command: an environment (Kafka and Postgres), the demo, all tests, and the benchmarks.
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
  start                start Kafka and Postgres (again), and print their addresses
  stop                 stop them and keep their data
  cleanup              stop them and remove their data
  status               show what runs, and the consumer's lag
  psql [ARG]...        run psql on the environment's database
  consumer [ARG]...    run tfi-consumer with the environment's broker and database
  producer [ARG]...    run tfi-producer with the environment's broker
  superset [--port 8088]  run Apache Superset with a dashboard of the tiles, on 127.0.0.1 until Ctrl-C: in Docker if the
                       environment is, otherwise installed below .build/. Prints the address, a user and a new password
  demo [--interval 8ms] [--stay]  build and start everything on free ports, replay a day of the plant, print the
                       address of the live page, show the tiles' numbers as they grow, check the whole day's, and
                       stop everything; with --stay, when you press Ctrl-C
  test [ARG]...        run every test that this machine can run; arguments go to `swift test`
  test --quick         run the unit tests without the slow half, in seconds
  bench [--records 5000000] [--partitions 4] [--rounds 5] [--workers N] [--postgres FOLDER] [--peers DIR]
        [--mapping wide | --mode upsert | --into unique|brin|partitions]
                       load the same rows with `psql \copy` and `tfi-consumer run`, in turn: the plant's messages;
                       wide ones (--records 1000000); by upsert, with half of the keys existing, against the same
                       statements in psql; or into tables with a unique or BRIN index or range partitions. With
                       --workers N it runs N members of a group (against one \copy and, if N > 1, N at once), otherwise
                       one run with --standalone. FOLDER has bin/initdb of the server to use;
                       `scripts/postgres-packages.sh install` prints the folders of Postgres 17 and 18
  bench --client [--records 5000000] [--partitions 4] [--rounds 3] [--codecs "none lz4 zstd"] [--peers DIR]
                       read and write the same records with KafkaWire and librdkafka, in turn
  bench --latency [--rate 1000] [--seconds 60] [--backlog 0] [--rounds 1] [--against PROGRAM]
                       measure the time from a record's append to its row's visibility, also while one partition
                       reads a backlog of this many records; in turn with another build of tfi-consumer
  chaos [--minutes 1] [--seed N] [--rate 2000] [--standalone] [--logs .build/chaos]
                       run three brokers, Postgres, consumers and a producer, with one fault per second: kill
                       processes, cut connections, restart servers; at the end each record must be in the tables
                       exactly once. The same seed gives the same faults
Kafka and Postgres run in Docker if `docker compose` has an engine. Otherwise Kafka runs from KAFKA_HOME (the folder of
any Kafka distribution) and Postgres from this machine's programs. Without Kafka the demo uses an in-memory broker.
Environment: KAFKA_HOME, KAFKA_HOMES (several for the tests, separated by colons), POSTGRES_HOME, TFI_ENV_DIR (the folder
of the environment, default .build/env), TFI_ENV_MODE (docker, local or fake; default: what is available),
TFI_KAFKA_PORT and TFI_POSTGRES_PORT (default: 9092 and 5432 with Docker, otherwise free ports).
END
    exit "$1"
}

# Builds tfi-consumer, tfi-producer and further products if they are missing or older than their sources. The first
# build takes minutes.
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
        # SwiftPM does not link an up-to-date program again; the new date records this check.
        touch "$program"
    done
}

# Passes the environment's addresses to the programs by their own variables. Variables that are already set stay.
use_environment() { # FOLDER
    [[ -f $1/mode ]] || fail "no environment: create one with ./control-env.sh start" 69
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
        # Before `init`, or without the topic, the consumer reports that; the environment runs nevertheless.
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
