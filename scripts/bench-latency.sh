# shellcheck shell=bash
# The time from a record's append at the broker until its row is visible in the database, at a steady rate, with a real
# broker and a real server. Sourced by control-env.sh, after prerequisites.sh and environment.sh.
#
# A record carries its sending time, and the producer records its acknowledgement; the append is between the two. The
# server stores the time of each commit (track_commit_timestamp). All three use this machine's clock, in microseconds.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

latency_sql() { psql --no-psqlrc -qAtX -v ON_ERROR_STOP=1 -d "$latency_uri" "$@"; }

latency_end() {
    trap - EXIT INT TERM
    [[ -z ${latency_pid:-} ]] || kill -KILL "$latency_pid" 2>/dev/null || true
    environment_remove "$latency_folder"
    rm -rf "$latency_folder"
}

# Waits until a query returns `t`; fails after LIMIT seconds.
latency_await() { # LIMIT QUERY
    local end=$((SECONDS + $1))
    until [[ $(latency_sql -c "$2") == t ]]; do
        ((SECONDS < end)) || fail "not within $1 s: $2" 70
        kill -0 "$latency_pid" 2>/dev/null || { cat "$latency_folder/consumer.err" >&2; fail 'the consumer has ended' 70; }
        sleep 0.2
    done
}

# Prints a line for the records that a condition selects: percentiles in milliseconds.
latency_line() { # ROUND WHAT TIME CONDITION
    latency_sql -F ' ' -c "
        SELECT count(*), round(percentile_disc(0.5) WITHIN GROUP (ORDER BY ms), 2),
            round(percentile_disc(0.99) WITHIN GROUP (ORDER BY ms), 2),
            round(percentile_disc(0.999) WITHIN GROUP (ORDER BY ms), 2), round(max(ms), 2)
        FROM (SELECT (($3) / 1000.0)::numeric AS ms FROM bench.result WHERE $4) AS result" |
        while read -r count p50 p99 p999 highest; do
            printf '%-6s %-34s %8s %9s %9s %9s %9s\n' "$1" "$2" "$count" "$p50" "$p99" "$p999" "$highest"
        done
}

# Measures one consumer once.
latency_round() { # ROUND NAME PROGRAM RATE SECONDS BACKLOG
    local round=$1 name=$2 program=$3 rate=$4 seconds=$5 backlog=$6 topic=latency-$1-$2 first=0 partitions=4
    local records=$((rate * seconds))
    "$root/scripts/kafka.sh" tool topics --bootstrap-server "$TFI_BOOTSTRAP_SERVERS" --create --topic "$topic" \
        --partitions 4 --replication-factor 1 >/dev/null
    latency_sql -c 'SET client_min_messages = warning; DROP SCHEMA IF EXISTS bench CASCADE; CREATE SCHEMA bench' \
        -c 'CREATE TABLE bench.record (n bigint, sent bigint, note text)' \
        -c 'CREATE TABLE bench.sent (n bigint, sent bigint, acknowledged bigint)' -c CHECKPOINT
    "$program" init --offsets-only --schema bench 2>/dev/null
    if ((backlog)); then
        first=1 partitions=3
        "$latency_producer" pace --topic "$topic" --records "$backlog" --partitions 1 --property linger.ms=20 \
            --property batch.size=131072 >/dev/null
    fi
    "$program" run --topic "$topic" --table bench.record --schema bench --group "$topic" \
        >"$latency_folder/consumer.out" 2>"$latency_folder/consumer.err" &
    latency_pid=$!
    "$latency_producer" pace --topic "$topic" --records "$records" --rate "$rate" --first-partition "$first" \
        --partitions "$partitions" --property linger.ms=0 >"$latency_folder/sent"
    latency_await 300 "SELECT sum(next_offset) = $((records + backlog)) FROM bench.kafka_offset"
    kill -TERM "$latency_pid"
    wait "$latency_pid" || true
    latency_pid=''
    latency_sql -c "\\copy bench.sent from '$latency_folder/sent' (format csv)" \
        -c "CREATE TABLE bench.result AS
            SELECT sent.n, sent.sent, sent.acknowledged,
                (extract(epoch FROM pg_xact_commit_timestamp(record.xmin)) * 1000000)::bigint AS visible
            FROM bench.sent JOIN bench.record USING (n, sent)"
    local end=9223372036854775807 begin
    begin=$(latency_sql -c 'SELECT min(sent) + 5000000 FROM bench.sent')
    if ((backlog)); then
        # Only the time until the backlog has been read.
        end=$(latency_sql -c "
            SELECT (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint
            FROM bench.record WHERE n = $((backlog - 1)) ORDER BY sent LIMIT 1")
        echo "        backlog: $backlog records until $(((end - begin) / 1000)) ms after the warm-up" >&2
    fi
    latency_line "$round" "$name: sent to visible" 'visible - sent' "sent BETWEEN $begin AND $end"
    latency_line "$round" "$name: acknowledged to visible" 'visible - acknowledged' "sent BETWEEN $begin AND $end"
    latency_line "$round" "$name: sent to acknowledged" 'acknowledged - sent' "sent BETWEEN $begin AND $end"
}

bench_latency() {
    local rate=1000 seconds=60 backlog=0 rounds=1 against='' round
    while (($#)); do
        (($# >= 2)) || usage 64
        case $1 in
            --rate) rate=$2 ;;
            --seconds) seconds=$2 ;;
            --backlog) backlog=$2 ;;
            --rounds) rounds=$2 ;;
            --against) against=$2 ;;
            *) usage 64 ;;
        esac
        shift 2
    done
    [[ $rate =~ ^[1-9][0-9]*$ && $seconds =~ ^[1-9][0-9]*$ && $backlog =~ ^[0-9]+$ && $rounds =~ ^[1-9][0-9]*$ ]] ||
        usage 64
    [[ -z $against || -x $against ]] || fail "no program $against" 66
    need_packages build postgres
    build_programs
    latency_producer=$root/.build/release/ClientBenchmark
    if [[ ! -x $latency_producer || -n $(find "$root/Sources" -newer "$latency_producer" -print -quit) ]]; then
        (cd "$root" && swift_build -c release --product ClientBenchmark) >"$root/.build/build.log" 2>&1 ||
            { tail -n 30 "$root/.build/build.log" >&2; fail "the build failed: see .build/build.log" 70; }
        touch "$latency_producer"
    fi
    latency_folder=$(mktemp -d)
    chmod 711 "$latency_folder"
    trap latency_end EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    # Full speed: the second stage of the JIT compiler, and memory for the page cache.
    export KAFKA_HEAP_OPTS=${KAFKA_HEAP_OPTS:--Xms1g -Xmx1g}
    export KAFKA_JVM_PERFORMANCE_OPTS=${KAFKA_JVM_PERFORMANCE_OPTS:--XX:+UseG1GC}
    forget_options
    environment_start "$latency_folder" no "$$"
    use_environment "$latency_folder"
    latency_uri=$TFI_DATABASE
    latency_sql -c 'ALTER SYSTEM SET track_commit_timestamp = on' -c 'ALTER SYSTEM SET autovacuum = off'
    environment_stop "$latency_folder" >/dev/null
    environment_start "$latency_folder" no "$$"
    echo "$(nproc) cores, Kafka ($(cat "$latency_folder/mode")), Postgres $(latency_sql -c 'SHOW server_version'), $rate" \
        "records/s for $seconds s, a backlog of $backlog records; times in ms"
    printf '%-6s %-34s %8s %9s %9s %9s %9s\n' round '' records p50 p99 p99.9 max
    for ((round = 1; round <= rounds; round++)); do
        [[ -z $against ]] || latency_round "$round" other "$against" "$rate" "$seconds" "$backlog"
        latency_round "$round" own "$root/.build/release/tfi-consumer" "$rate" "$seconds" "$backlog"
    done
}
