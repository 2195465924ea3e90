# shellcheck shell=bash
# The benchmark: the same rows by `psql \copy … (format binary)` and by `tfi-consumer run`, in turn, on one broker and
# one server. Sourced by control-env.sh, after prerequisites.sh and environment.sh.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

bench_sql() { psql --no-psqlrc -qAtX -v ON_ERROR_STOP=1 -d "$bench_uri" "$@"; }

# The difference of two outputs of `times`, whose second line has what the shell's children used: 0m1.234s 0m0.567s.
children_between() { # BEFORE AFTER
    awk 'function seconds(text, part) { split(text, part, "m"); return part[1] * 60 + part[2] }
        FNR == 2 { total = seconds($1) + seconds($2) - total }
        END { printf "%.2f", total }' "$1" "$2"
}

# Runs a program and sets `wall` (seconds), `cpu` (seconds of its own, user and system) and `peak` (resident MB, its
# high-water mark, which is looked at twenty times a second). Its output goes to OUT. Until it has ended this shell
# starts nothing else.
measure() { # OUT PROGRAM [ARG]...
    local out=$1 began pid name value status=0 kilobytes=0
    shift
    times >"$bench_folder/times-before"
    began=${EPOCHREALTIME/./}
    "$@" >"$out" 2>"$out.err" &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        while read -r name value _; do
            [[ $name != VmHWM: ]] || kilobytes=$value
        done 2>/dev/null <"/proc/$pid/status" || true
        read -rt 0.05 -u "$bench_pause" || true
    done
    wait "$pid" || status=$?
    wall=$((${EPOCHREALTIME/./} - began))
    times >"$bench_folder/times-after"
    cpu=$(children_between "$bench_folder/times-before" "$bench_folder/times-after")
    wall=$(awk -v micro="$wall" 'BEGIN { printf "%.3f", micro / 1e6 }')
    peak=$(awk -v kilo="$kilobytes" 'BEGIN { printf "%.1f", kilo / 1024 }')
    if ((status)); then
        tail -n 5 "$out.err" >&2
        fail "$1 ended with status $status" 70
    fi
}

# Runs a step that isn't measured; what it writes is shown only where it fails.
quietly() { # OUT PROGRAM [ARG]...
    local out=$1
    shift
    "$@" >"$out" 2>"$out.err" || {
        tail -n 5 "$out.err" >&2
        fail "$1 $2 failed" 70
    }
}

# A number of a JSON object that is one line, by name.
json_number() { # NAME FILE
    tail -n 1 "$2" | grep -oE "\"$1\": ?[0-9.eE+-]+" | head -n 1 | sed 's/.*: *//'
}

line() { # ROUND WHAT SECONDS WALL CPU MB RATIO
    awk -v records="$bench_records" -v round="$1" -v what="$2" -v seconds="$3" -v wall="$4" -v cpu="$5" -v mb="$6" \
        -v ratio="$7" 'BEGIN { printf "%-6s %-24s %12.0f %9.3f %9.3f %8.2f %8.0f %8.1f %s\n", round, what,
            records / seconds, seconds, wall, cpu, cpu * 1e9 / records, mb, ratio }'
}

median() {
    sort -g | awk '{ value[NR] = $1 }
        END { low = int((NR + 1) / 2); high = int((NR + 2) / 2); printf "%.3f", (value[low] + value[high]) / 2 }'
}

check_rows() { # SCHEMA WHO
    local rows
    rows=$(bench_sql -c "SELECT (SELECT count(*) FROM $1.ucp) + (SELECT count(*) FROM $1.uc)")
    ((rows == bench_records)) || fail "$2 left $rows rows of $bench_records records" 70
}

# The tables of a schema as `init` made those of the first run, empty.
equal_tables() { # SCHEMA
    bench_sql -c "CREATE SCHEMA $1; CREATE TABLE $1.ucp (LIKE workshop.ucp INCLUDING ALL);
        CREATE TABLE $1.uc (LIKE workshop.uc INCLUDING ALL)"
}

# Each contender begins on a quiet server: nothing left to be written of what the last one did.
settle() { bench_sql -c CHECKPOINT; }

run_copy() { # ROUND
    equal_tables baseline
    settle
    measure "$bench_folder/copy.out" psql --no-psqlrc -X -v ON_ERROR_STOP=1 -d "$bench_uri" -c '\timing on' \
        -c "\\copy baseline.ucp from '$bench_folder/ucp.copy' (format binary)" \
        -c "\\copy baseline.uc from '$bench_folder/uc.copy' (format binary)"
    check_rows baseline '\copy'
    bench_sql -c 'SET client_min_messages = warning; DROP SCHEMA baseline CASCADE'
    copy_seconds=$(awk '/^Time:/ { total += $2 } END { printf "%.3f", total / 1000 }' "$bench_folder/copy.out")
    line "$1" 'psql \copy' "$copy_seconds" "$wall" "$cpu" "$peak" ''
}

run_consumer() { # ROUND
    local seconds ratio
    quietly "$bench_folder/init.out" "$root/.build/release/tfi-consumer" init --schema round
    settle
    measure "$bench_folder/consumer.out" "$root/.build/release/tfi-consumer" run --until-caught-up --summary-json \
        --schema round
    check_rows round tfi-consumer
    bench_sql -c 'SET client_min_messages = warning; DROP SCHEMA round CASCADE'
    seconds=$(json_number seconds "$bench_folder/consumer.out")
    ratio=$(awk -v copy="$copy_seconds" -v own="$seconds" 'BEGIN { printf "%.3f", copy / own }')
    echo "$ratio" >>"$bench_folder/ratios"
    json_number max_rss_mb "$bench_folder/consumer.out" >>"$bench_folder/peaks"
    line "$1" tfi-consumer "$seconds" "$wall" "$cpu" "$peak" "$ratio"
}

run_peer() { # ROUND NAME PROGRAM [ARG]...
    local round=$1 name=$2 seconds
    shift 2
    equal_tables peer
    settle
    measure "$bench_folder/peer.out" "$@" --brokers "$TFI_BOOTSTRAP_SERVERS" --topic "$bench_topic" --mode copy \
        --expect "$bench_records" --dsn "$bench_uri" --schema peer
    check_rows peer "$name"
    bench_sql -c 'SET client_min_messages = warning; DROP SCHEMA peer CASCADE'
    seconds=$(json_number seconds "$bench_folder/peer.out")
    line "$round" "$name" "$seconds" "$wall" "$cpu" "$peak" \
        "$(awk -v copy="$copy_seconds" -v own="$seconds" 'BEGIN { printf "%.3f", copy / own }')"
}

bench_end() {
    trap - EXIT INT TERM
    environment_remove "$bench_folder"
    rm -rf "$bench_folder"
}

bench() {
    local partitions=4 rounds=3 peers='' round
    bench_records=5000000 bench_topic=TFI
    while (($#)); do
        (($# >= 2)) || usage 64
        case $1 in
            --records) bench_records=$2 ;;
            --partitions) partitions=$2 ;;
            --rounds) rounds=$2 ;;
            --peers) peers=$2 ;;
            *) usage 64 ;;
        esac
        shift 2
    done
    [[ $bench_records =~ ^[1-9][0-9]*$ && $partitions =~ ^[1-9][0-9]*$ && $rounds =~ ^[1-9][0-9]*$ ]] || usage 64
    [[ -z $peers || -d $peers/bin ]] || fail "no folder bin in $peers" 66
    need_packages build postgres
    build_programs
    bench_folder=$(mktemp -d)
    chmod 711 "$bench_folder"
    trap bench_end EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    # A descriptor that never has anything to read, to pause without a program.
    exec {bench_pause}<> <(:)
    # Full speed: the JIT compiler's second stage, and room for the page cache's traffic.
    export KAFKA_HEAP_OPTS=${KAFKA_HEAP_OPTS:--Xms1g -Xmx1g}
    export KAFKA_JVM_PERFORMANCE_OPTS=${KAFKA_JVM_PERFORMANCE_OPTS:--XX:+UseG1GC}
    forget_options
    environment_start "$bench_folder" no "$$"
    use_environment "$bench_folder"
    bench_uri=$TFI_DATABASE
    # The server's own vacuum would work on one contender's rows while the next is measured.
    bench_sql -c "ALTER SYSTEM SET autovacuum = off" -c "SELECT pg_reload_conf()" >/dev/null

    echo "$(nproc) cores, Kafka ($(cat "$bench_folder/mode")), Postgres $(bench_sql -c 'SHOW server_version')"
    echo "generating $bench_records records in $partitions partitions" >&2
    quietly "$bench_folder/producer.out" "$root/.build/release/tfi-producer" generate --records "$bench_records" \
        --partitions "$partitions" --summary-json
    echo "tfi-producer: $(tail -n 1 "$bench_folder/producer.out")"
    # The first run warms everything up, and its tables are where the rows of the baseline come from.
    quietly "$bench_folder/init.out" "$root/.build/release/tfi-consumer" init
    quietly "$bench_folder/first.out" "$root/.build/release/tfi-consumer" run --until-caught-up --summary-json
    check_rows workshop tfi-consumer
    local table
    for table in ucp uc; do
        bench_sql -c "\\copy workshop.$table to '$bench_folder/$table.copy' (format binary)"
    done
    bench_sql -c 'TRUNCATE workshop.ucp, workshop.uc'
    printf '%-6s %-24s %12s %9s %9s %8s %8s %8s %s\n' round '' rows/s seconds wall 'CPU s' ns/row 'peak MB' ratio
    for ((round = 1; round <= rounds; round++)); do
        run_copy "$round"
        run_consumer "$round"
        [[ ! -x $peers/bin/peer-franz ]] || run_peer "$round" franz-go "$peers/bin/peer-franz"
        [[ ! -x $peers/bin/peer-rskafka ]] || {
            run_peer "$round" rskafka "$peers/bin/peer-rskafka"
            run_peer "$round" krafka "$peers/bin/peer-rskafka" --client krafka
        }
    done
    echo "tfi-consumer: median ratio to \\copy $(median <"$bench_folder/ratios") (best" \
        "$(sort -g "$bench_folder/ratios" | tail -n 1)), peak memory $(sort -g "$bench_folder/peaks" | tail -n 1) MB"
}
