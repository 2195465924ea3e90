# shellcheck shell=bash
# The benchmark: loads the same rows with `psql \copy … (format binary)` (for upsert: with statements in psql) and with
# `tfi-consumer run`, in turn, on one broker and one server. Sourced by control-env.sh, after prerequisites.sh and
# environment.sh.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/bench-measure.sh
source "$root/scripts/bench-measure.sh"
# shellcheck source=scripts/bench-cases.sh
source "$root/scripts/bench-cases.sh"

# Each contender starts with its own tables on an idle server that has written all data of the previous contender.
begin_contender() { # SCHEMA
    bench_sql -c "CREATE SCHEMA $1"
    "${bench_case}_tables" "$1"
    [[ $1 != round ]] ||
        quietly "$bench_folder/init.out" "$bench_programs/tfi-consumer" init --schema "$1" "${case_init[@]}"
    bench_sql -c CHECKPOINT
}

end_contender() { # SCHEMA NAME SECONDS PEAK-MB
    local table
    if [[ $bench_round == 1 ]]; then
        compare_rows "$1" "$2"
    else
        for table in "${bench_tables[@]}"; do
            [[ $(bench_sql -c "SELECT (SELECT count(*) FROM $1.$table) = (SELECT count(*) FROM template.$table)") == t ]] ||
                fail "$2 left too few or too many rows in $table" 70
        done
    fi
    bench_sql -c 'SET client_min_messages = warning' -c "DROP SCHEMA $1 CASCADE"
    result "$bench_round" "$2" "$3" "$4"
}

# Checks by a checksum that the rows are those of `template`.
compare_rows() { # SCHEMA NAME
    local table query="SELECT count(*), sum(hashtextextended(t::text, 0)) FROM"
    for table in "${bench_tables[@]}"; do
        [[ $(bench_sql -c "$query $1.$table AS t") == $(bench_sql -c "$query template.$table AS t") ]] ||
            fail "$2 left wrong rows in $table" 70
    done
}

# Exports the files for `\copy`: each table as one file, and split into as many files as there are workers.
export_rows() {
    local table columns i
    for table in "${bench_tables[@]}"; do
        bench_sql -c "\\copy template.$table to '$bench_folder/$table.copy' (format binary)"
        ((bench_workers > 1)) || continue
        columns=$(bench_sql -c "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
            WHERE attrelid = 'template.$table'::regclass AND attnum > 0 AND NOT attisdropped")
        for ((i = 0; i < bench_workers; i++)); do
            bench_sql -c "\\copy (SELECT $columns FROM (SELECT *, row_number() OVER () AS bench_n FROM template.$table) t \
WHERE bench_n % $bench_workers = $i) to '$bench_folder/$table.$i.copy' (format binary)"
        done
    done
}

timed_psql() { psql --no-psqlrc -qX -v ON_ERROR_STOP=1 -d "$bench_uri" -c '\timing on' "$@"; }

# Copies the tables' files whose names have these ends, each with its own psql, all at once.
copy_files() { # END...
    local end table commands pid pids=() status=0
    for end in "$@"; do
        commands=()
        for table in "${bench_tables[@]}"; do
            commands+=(-c "\\copy baseline.$table from '$bench_folder/$table$end' (format binary)")
        done
        timed_psql "${commands[@]}" >"$bench_folder/timing$end" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || status=$?; done
    return "$status"
}

run_copy() { # NAME END...
    local name=$1
    shift
    begin_contender baseline
    measure "$bench_folder/psql.out" copy_files "$@"
    end_contender baseline "$name" "$(timed_seconds "${@/#/"$bench_folder/timing"}")" -
}

run_statements() {
    begin_contender baseline
    measure "$bench_folder/psql.out" timed_psql -f "$bench_folder/upsert.sql"
    end_contender baseline psql "$(timed_seconds "$bench_folder/psql.out")" -
}

run_consumer() {
    local out=$bench_folder/consumer.out members=(--standalone)
    ((bench_workers == 0)) || members=(--workers "$bench_workers")
    begin_contender round
    measure "$out" "$bench_programs/tfi-consumer" run --until-caught-up --summary-json --schema round \
        "${members[@]}" "${case_run[@]}"
    end_contender round tfi-consumer "$(json_number seconds "$out")" "$(json_number max_rss_mb "$out")"
}

run_peer() { # NAME PROGRAM [ARG]...
    local name=$1 out=$bench_folder/peer.out
    shift
    begin_contender baseline
    measure "$out" "$@" --brokers "$TFI_BOOTSTRAP_SERVERS" --topic TFI --mode copy --expect "$bench_records" \
        --dsn "$bench_uri" --schema baseline
    end_contender baseline "$name" "$(json_number seconds "$out")" "$(json_number max_rss_mb "$out")"
}

run_contender() { # NAME
    local files
    case $1 in
        copy) run_copy copy .copy ;;
        copy-x*)
            mapfile -t files < <(seq -f '.%g.copy' 0 $((bench_workers - 1)))
            run_copy "$1" "${files[@]}" ;;
        psql) run_statements ;;
        tfi-consumer) run_consumer ;;
        franz-go) run_peer franz-go "$bench_peers/bin/peer-franz" ;;
        rskafka) run_peer rskafka "$bench_peers/bin/peer-rskafka" ;;
        krafka) run_peer krafka "$bench_peers/bin/peer-rskafka" --client krafka ;;
    esac
}

bench_end() {
    trap - EXIT INT TERM
    environment_remove "$bench_folder"
    rm -rf "$bench_folder"
}

bench_options() { # [OPTION VALUE]...
    bench_records='' bench_partitions=4 bench_rounds=5 bench_workers=0 bench_peers='' bench_case=''
    while (($#)); do
        (($# >= 2)) || usage 64
        case $1 in
            --records) bench_records=$2 ;;
            --partitions) bench_partitions=$2 ;;
            --rounds) bench_rounds=$2 ;;
            --workers) bench_workers=$2 ;;
            --peers) bench_peers=$2 ;;
            --postgres)
                [[ -x $2/bin/initdb ]] || fail "no bin/initdb in $2" 66
                POSTGRES_HOME=$(cd "$2" && pwd)
                export POSTGRES_HOME TFI_ENV_MODE=local ;;
            --mapping | --mode | --into)
                # Only one case per call.
                [[ -z $bench_case ]] || usage 64
                case "$1 $2" in
                    '--mapping wide' | '--mode upsert') bench_case=$2 ;;
                    '--into unique' | '--into brin' | '--into partitions') bench_case=$2 ;;
                    *) usage 64 ;;
                esac ;;
            *) usage 64 ;;
        esac
        shift 2
    done
    bench_case=${bench_case:-plant}
    if [[ -z $bench_records ]]; then
        bench_records=5000000
        # These messages have 830 bytes each.
        [[ $bench_case != wide ]] || bench_records=1000000
    fi
    [[ $bench_records =~ ^[1-9][0-9]*$ && $bench_partitions =~ ^[1-9][0-9]*$ && $bench_rounds =~ ^[1-9][0-9]*$ &&
        $bench_workers =~ ^[0-9]+$ ]] || usage 64
    [[ -z $bench_peers || -d $bench_peers/bin ]] || fail "no folder bin in $bench_peers" 66
}

bench() { # [OPTION VALUE]...
    local baselines contenders i
    bench_options "$@"
    need_packages build postgres
    build_programs
    bench_programs=$root/.build/release
    bench_folder=$(mktemp -d)
    chmod 711 "$bench_folder"
    trap bench_end EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    # Full speed: the second stage of the JIT compiler, and memory for the page cache.
    export KAFKA_HEAP_OPTS=${KAFKA_HEAP_OPTS:--Xms1g -Xmx1g}
    export KAFKA_JVM_PERFORMANCE_OPTS=${KAFKA_JVM_PERFORMANCE_OPTS:--XX:+UseG1GC}
    forget_options
    environment_start "$bench_folder" no "$$"
    use_environment "$bench_folder"
    bench_uri=$TFI_DATABASE
    # Autovacuum would process one contender's rows while the next one is measured.
    bench_sql -c "ALTER SYSTEM SET autovacuum = off" -c "SELECT pg_reload_conf()" >/dev/null

    echo "$(nproc) cores, Kafka ($(cat "$bench_folder/mode")), Postgres $(bench_sql -c 'SHOW server_version')," \
        "$bench_records records in $bench_partitions partitions: $bench_case"
    case_run=() case_init=() bench_rows=$bench_records bench_round=0
    "${bench_case}_prepare"
    baselines=(psql)
    if [[ $bench_case != upsert ]]; then
        export_rows
        baselines=(copy)
        ((bench_workers <= 1)) || baselines+=("copy-x$bench_workers")
    fi
    contenders=("${baselines[@]}" tfi-consumer)
    if [[ $bench_case == plant ]]; then
        [[ ! -x $bench_peers/bin/peer-franz ]] || contenders+=(franz-go)
        [[ ! -x $bench_peers/bin/peer-rskafka ]] || contenders+=(rskafka krafka)
    fi
    result_heading
    for ((bench_round = 1; bench_round <= bench_rounds; bench_round++)); do
        # Alternate the order: the second contender finds the machine in a different state than the first.
        for ((i = 0; i < ${#contenders[@]}; i++)); do
            if ((bench_round % 2)); then run_contender "${contenders[i]}"; else run_contender "${contenders[-1 - i]}"; fi
        done
    done
    summary "${baselines[*]}"
}
