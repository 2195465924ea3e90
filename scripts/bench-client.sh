# shellcheck shell=bash
# The client benchmark: KafkaWire, librdkafka and, if available, other clients read and write the same records on one
# broker, in turn. Sourced by control-env.sh, after prerequisites.sh.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Prints a member of the JSON object in the last line of FILE.
client_member() { # NAME FILE
    tail -n 1 "$2" | sed -n "s/.*\"$1\": \{0,1\}\"\{0,1\}\([^,\"}]*\).*/\1/p"
}

# Runs one contender, prints its line and stores its numbers: CONTENDER CASE rate cpu-ns wall peak digest.
client_run() { # ROUND CONTENDER CASE PROGRAM [ARG]...
    local round=$1 contender=$2 case=$3 out=$client_folder/out rate cpu peak seconds records
    shift 3
    "$@" >"$out" 2>"$out.err" || {
        tail -n 5 "$out.err" >&2
        fail "$contender failed at $case" 70
    }
    records=$(client_member records "$out")
    ((records >= client_records)) || fail "$contender at $case: $records records of $client_records" 70
    rate=$(client_member rate "$out")
    seconds=$(client_member seconds "$out")
    peak=$(client_member max_rss_mb "$out")
    cpu=$(awk -v user="$(client_member cpu_user "$out")" -v sys="$(client_member cpu_sys "$out")" \
        'BEGIN { printf "%.3f", user + sys }')
    printf '%-6s %-16s %-12s %12.0f %8.3f %8.2f %8.1f %8.1f\n' "$round" "$case" "$contender" "$rate" "$seconds" "$cpu" \
        "$(awk -v cpu="$cpu" -v records="$records" 'BEGIN { print cpu * 1e9 / records }')" "$peak"
    [[ $round == warm ]] || echo "$contender $case $rate $seconds $cpu $records $peak $(client_member digest "$out")" \
        >>"$client_folder/results"
}

# Runs the clients of --peers, whose programs have other arguments.
client_peers() { # ROUND CASE MODE TOPIC [ARG]...
    local round=$1 case=$2 mode=$3 topic=$4
    shift 4
    [[ -n $client_peers ]] || return 0
    client_run "$round" franz-go "$case" "$client_peers/bin/peer-franz" --brokers "$client_bootstrap" \
        --topic "$topic" --mode "$mode" --expect "$client_records" "$@"
    client_run "$round" krafka "$case" "$client_peers/bin/peer-rskafka" --client krafka --brokers "$client_bootstrap" \
        --topic "$topic" --mode "$mode" --expect "$client_records" "$@"
}

client_round() { # ROUND
    local round=$1 codec mode topic options
    for codec in $client_codecs; do
        for mode in count decode; do
            options=()
            [[ $mode == count ]] || options=(--decode)
            client_run "$round" KafkaWire "$mode-$codec" "$client_program" fetch --bootstrap-servers "$client_bootstrap" \
                --topic "fetch-$codec" --records "$client_records" "${options[@]}"
            client_run "$round" librdkafka "$mode-$codec" "$client_folder/librdkafka" fetch \
                --bootstrap-servers "$client_bootstrap" --topic "fetch-$codec" --records "$client_records" \
                "${options[@]}"
            # The fastest setting of these clients for compressed topics.
            [[ $codec == none ]] || options=(--fetch-bytes 131072)
            [[ $codec != none ]] || options=()
            client_peers "$round" "$mode-$codec" "$mode" "fetch-$codec" "${options[@]}"
        done
    done
    # KafkaWire alone: the other clients hand out records one by one anyway.
    for codec in $client_codecs; do
        client_run "$round" KafkaWire "records-$codec" "$client_program" fetch --bootstrap-servers "$client_bootstrap" \
            --topic "fetch-$codec" --records "$client_records" --by-record
    done
    # Each client writes to its own topic, so that no log is longer than another; the settings are the same.
    options=()
    local setting
    for setting in acks=all enable.idempotence=true linger.ms=5 batch.size=131072; do
        options+=(--property "$setting")
    done
    for topic in kafkawire librdkafka; do
        client_topic "$topic-$round"
    done
    client_run "$round" KafkaWire produce "$client_program" produce --bootstrap-servers "$client_bootstrap" \
        --topic "kafkawire-$round" --records "$client_records" "${options[@]}" --property buffer.memory=33554432
    client_run "$round" librdkafka produce "$client_folder/librdkafka" produce \
        --bootstrap-servers "$client_bootstrap" --topic "librdkafka-$round" --records "$client_records" \
        "${options[@]}" --property queue.buffering.max.kbytes=32768 --property queue.buffering.max.messages=1000000
    local written=(kafkawire librdkafka)
    if [[ -n $client_peers ]]; then
        written+=(franz-go)
        # It creates its topic by itself.
        client_run "$round" franz-go produce "$client_peers/bin/peer-franz" --brokers "$client_bootstrap" \
            --topic "franz-go-$round" --mode produce --kind ucp --compression none --partitions "$client_partitions" \
            --expect "$client_records"
    fi
    for topic in "${written[@]}"; do
        "$root/scripts/kafka.sh" tool topics --bootstrap-server "$client_bootstrap" --delete --topic "$topic-$round"
    done
}

client_topic() { # NAME
    "$root/scripts/kafka.sh" tool topics --bootstrap-server "$client_bootstrap" --create --topic "$1" \
        --partitions "$client_partitions" --replication-factor 1 >/dev/null
}

# Prints medians over the rounds, ratios to librdkafka, and one line of JSON.
client_summary() {
    sort -k2,2 -k1,1 -s "$client_folder/results" | awk '
        # null if there is nothing to compare with.
        function ratio(value, base) { return base ? sprintf("%.3f", value / base) : "null" }
        function median(list, count, i, j, held) {
            for (i = 2; i <= count; i++)
                for (j = i; j > 1 && list[j] < list[j - 1]; j--) { held = list[j]; list[j] = list[j - 1]; list[j - 1] = held }
            return count % 2 ? list[(count + 1) / 2] : (list[count / 2] + list[count / 2 + 1]) / 2
        }
        {
            key = $2 " " $1
            if (!(key in runs)) order[++keys] = key
            run = ++runs[key]
            wall[key, run] = $4; cpu[key, run] = $5 * 1e9 / $6; rate[key, run] = $3
            if ($7 > peak[key]) peak[key] = $7
            digest = $8
            if ($2 ~ /^decode/ && ($1 == "KafkaWire" || $1 == "librdkafka")) {
                if ($2 in seen && seen[$2] != digest) { print "KafkaWire and librdkafka decode other things at " $2; status = 1 }
                seen[$2] = digest
            }
        }
        END {
            if (status) exit status
            for (k = 1; k <= keys; k++) {
                key = order[k]
                for (run = 1; run <= runs[key]; run++) list[run] = wall[key, run]
                walls[key] = median(list, runs[key])
                for (run = 1; run <= runs[key]; run++) list[run] = cpu[key, run]
                cpus[key] = median(list, runs[key])
                for (run = 1; run <= runs[key]; run++) list[run] = rate[key, run]
                rates[key] = median(list, runs[key])
            }
            printf "%-16s %-12s %12s %8s %8s %12s %12s\n", "median", "", "records/s", "ns CPU", "peak MB", "CPU ratio", "wall ratio"
            for (k = 1; k <= keys; k++) {
                key = order[k]
                split(key, part, " ")
                base = part[1] " librdkafka"
                printf "%-16s %-12s %12.0f %8.1f %8.1f %12s %12s\n", part[1], part[2], rates[key], cpus[key], peak[key],
                    ratio(cpus[key], cpus[base]), ratio(walls[key], walls[base])
                json = json (k > 1 ? "," : "") sprintf("{\"case\":\"%s\",\"client\":\"%s\",\"records_per_second\":%.0f," \
                    "\"cpu_ns\":%.1f,\"peak_mb\":%.1f,\"cpu_ratio\":%s,\"wall_ratio\":%s}", part[1], part[2], rates[key],
                    cpus[key], peak[key], ratio(cpus[key], cpus[base]), ratio(walls[key], walls[base]))
            }
            print "{\"benchmark\":\"client\",\"results\":[" json "]}"
        }'
}

client_end() {
    trap - EXIT INT TERM
    "$root/scripts/kafka.sh" remove "$client_folder/kafka" || true
    rm -rf "$client_folder"
}

bench_client() { # [--records N] [--partitions N] [--rounds N] [--codecs "none lz4 zstd"] [--peers DIR]
    local rounds=3 round codec
    client_records=5000000 client_partitions=4 client_peers='' client_codecs='none lz4 zstd'
    while (($#)); do
        (($# >= 2)) || usage 64
        case $1 in
            --records) client_records=$2 ;;
            --partitions) client_partitions=$2 ;;
            --rounds) rounds=$2 ;;
            --codecs) client_codecs=$2 ;;
            --peers) client_peers=$2 ;;
            *) usage 64 ;;
        esac
        shift 2
    done
    [[ $client_records =~ ^[1-9][0-9]*$ && $client_partitions =~ ^[1-9][0-9]*$ && $rounds =~ ^[1-9][0-9]*$ ]] || usage 64
    [[ -z $client_peers || -x $client_peers/bin/peer-franz ]] || fail "no bin/peer-franz in $client_peers" 66
    need_packages build java librdkafka
    KAFKA_HOME=$(kafka_home)
    export KAFKA_HOME
    # Linked as the programs that are shipped.
    client_program=$root/.build/static/release/ClientBenchmark
    echo "building the programs" >&2
    mkdir -p "$root/.build"
    (cd "$root" && swift_build -c release --static-swift-stdlib --scratch-path .build/static --product ClientBenchmark) \
        >"$root/.build/build.log" 2>&1 ||
        { tail -n 30 "$root/.build/build.log" >&2; fail "the build failed: see .build/build.log" 70; }
    client_folder=$(mktemp -d)
    trap client_end EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    local flags
    read -ra flags < <(pkg-config --cflags --libs rdkafka)
    "${CC:-cc}" -O2 -o "$client_folder/librdkafka" "$root/Benchmarks/librdkafka/benchmark.c" "${flags[@]}"
    # Full speed: the second stage of the JIT compiler, and memory for the page cache.
    export KAFKA_HEAP_OPTS=${KAFKA_HEAP_OPTS:--Xms1g -Xmx1g}
    export KAFKA_JVM_PERFORMANCE_OPTS=${KAFKA_JVM_PERFORMANCE_OPTS:--XX:+UseG1GC}
    "$root/scripts/kafka.sh" up "$client_folder/kafka" --owner "$$" >/dev/null
    client_bootstrap=$(cat "$client_folder/kafka/bootstrap")
    echo "$(nproc) cores, Kafka $("$root/scripts/kafka.sh" version), librdkafka $(pkg-config --modversion rdkafka)," \
        "$client_records records in $client_partitions partitions"
    for codec in $client_codecs; do
        client_topic "fetch-$codec"
        "$client_folder/librdkafka" produce --bootstrap-servers "$client_bootstrap" --topic "fetch-$codec" \
            --records "$client_records" --property batch.size=131072 --property "compression.type=$codec" \
            --property acks=all --property linger.ms=20 >/dev/null
    done
    printf '%-6s %-16s %-12s %12s %8s %8s %8s %8s\n' round '' '' records/s seconds 'CPU s' ns/rec 'peak MB'
    for ((round = 1; round <= rounds; round++)); do
        client_round "$round"
    done
    client_summary
}
