# shellcheck shell=bash
# The demo: sends a day of the plant through the broker to Postgres, and shows the tiles as they grow. Sourced by
# control-env.sh, after environment.sh.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# The tiles of the latest day, as `label|value` lines.
tiles_sql="
WITH latest AS (SELECT max(day) AS day FROM (SELECT day FROM workshop.tile_units_per_zone UNION ALL
    SELECT day FROM workshop.tile_concerns_per_hour) AS days),
tile (place, label, value) AS (
    SELECT 0, 'rows', (SELECT count(*) FROM workshop.ucp) + (SELECT count(*) FROM workshop.uc) || ''
    UNION ALL SELECT 1, 'dead letters', (SELECT count(*) || '' FROM workshop.dead_letter)
    UNION ALL SELECT 2, 'day', (SELECT day || '' FROM latest)
    UNION ALL SELECT 3, 'total', (SELECT units || '' FROM workshop.tile_total JOIN latest USING (day))
    UNION ALL SELECT 4, 'nok', (SELECT units || '' FROM workshop.tile_nok JOIN latest USING (day))
    UNION ALL SELECT 5, 'without concern', (SELECT without_concern || ' of ' || produced || ' (' ||
        round(share::numeric * 100, 1) || ' %)' FROM workshop.tile_throughput JOIN latest USING (day))
    UNION ALL SELECT 6, 'units per hour', (SELECT string_agg(hour || 'h ' || units, '  ' ORDER BY hour)
        FROM workshop.tile_units_per_hour JOIN latest USING (day))
    UNION ALL SELECT 7, 'production / plan', (SELECT string_agg(hour || 'h ' || units || '/' || plan, '  '
        ORDER BY hour) FROM workshop.tile_current_production JOIN latest USING (day))
    UNION ALL SELECT 8, 'concerns per hour', (SELECT string_agg(hour || 'h ' || units, '  ' ORDER BY hour)
        FROM workshop.tile_concerns_per_hour JOIN latest USING (day))
    UNION ALL SELECT 9, 'units per zone', (SELECT string_agg(zone_id || ':' || units, '  ' ORDER BY units DESC, zone_id)
        FROM (SELECT * FROM workshop.tile_units_per_zone JOIN latest USING (day)
            ORDER BY units DESC, zone_id LIMIT 12) AS top)
    UNION ALL SELECT 10, 'nok per zone', (SELECT string_agg(zone_charged_id || ':' || units, '  '
        ORDER BY units DESC, zone_charged_id)
        FROM (SELECT * FROM workshop.tile_nok_per_zone JOIN latest USING (day)
            ORDER BY units DESC, zone_charged_id LIMIT 12) AS top)
    UNION ALL SELECT 11, 'nok per point', (SELECT string_agg(collection_point_id || ':' || units, '  '
        ORDER BY units DESC, collection_point_id)
        FROM (SELECT * FROM workshop.tile_not_ok_by_cp JOIN latest USING (day)
            ORDER BY units DESC, collection_point_id LIMIT 12) AS top)
)
SELECT label || '|' || coalesce(value, '-') FROM tile ORDER BY place"

# For each view of the expected day: does it contain these rows, in any order? Prints one query per view, for psql.
check_sql="
SELECT format(\$query\$
    SELECT %L WHERE (SELECT jsonb_agg(cells ORDER BY cells) FROM jsonb_array_elements(%L::jsonb) AS cells)
        IS DISTINCT FROM (SELECT jsonb_agg(cells ORDER BY cells) FROM (SELECT (SELECT jsonb_agg(value::jsonb ORDER BY
            place) FROM json_each(row_to_json(row)) WITH ORDINALITY AS cell (name, value, place)) AS cells
            FROM workshop.%I AS row) AS rows)
    \$query\$, name, rows, name)
FROM jsonb_each(:'expected'::jsonb) AS expected (name, rows) \\gexec"

demo_psql() { psql --no-psqlrc -qAtX -v ON_ERROR_STOP=1 -d "$TFI_DATABASE" "$@"; }

# Reads the tiles into the array `tile`, by label, and their order into `labels`.
read_tiles() {
    local lines label value
    lines=$(demo_psql -c "$tiles_sql") || return 1
    labels=()
    while IFS='|' read -r label value; do
        labels+=("$label")
        tile[$label]=$value
    done <<<"$lines"
}

print_table() { # TOTAL [WIDTH]
    local label width=${2:-1000}
    tile[rows]="${tile[rows]} of $1"
    for label in "${labels[@]}"; do
        printf '  %-18s %.*s%s\n' "$label" $((width - 22)) "${tile[$label]}" "$clear_line"
    done
}

print_line() { # TOTAL
    local hours=${tile[units per hour]} zones=${tile[units per zone]}
    printf '%s  rows %s of %s  total %s  nok %s  last hour %s  zones %s\n' "$(date +%T)" "${tile[rows]}" "$1" \
        "${tile[total]}" "${tile[nok]}" "${hours##*  }" "$(cut -d ' ' -f 1-7 <<<"$zones")"
}

# Shows the tiles until the producer has ended: on a terminal a table that is redrawn, otherwise a line every few
# seconds.
watch_day() { # PRODUCER-PID CONSUMER-PID TOTAL
    local shown=0 n width
    # A line that the terminal wraps would break the redrawing.
    width=$(tput cols 2>/dev/null || echo 80)
    while kill -0 "$1" 2>/dev/null; do
        kill -0 "$2" 2>/dev/null || return 1
        read_tiles || return 1
        if [[ -n $clear_line ]]; then
            ((shown == 0)) || printf '\e[%dA' "${#labels[@]}"
            print_table "$3" "$width"
            shown=1
        else
            print_line "$3"
        fi
        for ((n = 0; n < (${#clear_line} > 0 ? 5 : 25); n++)); do
            kill -0 "$1" 2>/dev/null || break
            sleep 0.2
        done
    done
    # The final table replaces the last one that was drawn.
    ((shown == 0)) || printf '\e[%dA' "${#labels[@]}"
}

# Waits until the producer has created the topic.
await_topic() { # CONSUMER PRODUCER-PID
    local n
    for ((n = 0; n < 150; n++)); do
        if "$1" status >/dev/null 2>&1; then return 0; fi
        kill -0 "$2" 2>/dev/null || return 1
        sleep 0.2
    done
    return 1
}

# Waits until the consumer serves its page, and sets `page` to the address.
await_page() {
    local n
    for ((n = 0; n < 150; n++)); do
        page=$(sed -n 's/.* serving url=//p' "$demo_folder/consumer.log")
        [[ -z $page ]] || return 0
        kill -0 "$consumer" 2>/dev/null || return 1
        sleep 0.2
    done
    return 1
}

end_consumer() {
    kill -TERM "$consumer" 2>/dev/null || demo_failed "the consumer ended"
    wait "$consumer" || { consumer=''; demo_failed "the consumer ended with an error"; }
    consumer=''
}

demo_failed() { # SENTENCE
    echo "the demo failed: $1" >&2
    local file
    for file in "$demo_folder"/{init,consumer,producer}.log; do
        [[ ! -s $file ]] || { echo "--- ${file##*/}"; tail -n 5 "$file"; } >&2
    done
    exit 1
}

demo_end() {
    local pid
    trap - EXIT INT TERM
    for pid in ${producer:-} ${consumer:-}; do
        kill -TERM "$pid" 2>/dev/null || continue
        wait "$pid" 2>/dev/null || true
    done
    environment_remove "$demo_folder"
    rm -rf "$demo_folder"
}

demo() {
    local interval=8ms stays='' day=$root/Fixtures/day total programs=$root/.build/release
    while (($#)); do
        case $1 in
            --interval) (($# >= 2)) || usage 64; interval=$2; shift 2 ;;
            --stay) stays=yes; shift ;;
            *) usage 64 ;;
        esac
    done
    declare -A tile
    local labels=() clear_line='' page=''
    # Clear the rest of a line if the text before was longer.
    [[ ! -t 1 ]] || clear_line=$'\e[K'

    need_packages build postgres
    build_programs
    demo_folder=$(mktemp -d)
    # The database's user needs access to its data in this folder.
    chmod 711 "$demo_folder"
    producer='' consumer=''
    trap demo_end EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    echo "starting the broker and Postgres" >&2
    environment_start "$demo_folder" yes "$$"
    forget_options
    use_environment "$demo_folder"
    echo "broker ($(cat "$demo_folder/mode")): $TFI_BOOTSTRAP_SERVERS, database: $TFI_DATABASE" >&2

    "$programs/tfi-consumer" init >"$demo_folder/init.log" 2>&1 || demo_failed "the schema could not be made"
    total=$(($(cat "$day"/unit_c*.csv | wc -l) - 2))
    echo "a day of the plant, $total messages, one every $interval"
    "$programs/tfi-producer" replay --units "$day/unit_collection_point.csv" \
        --concerns "$day/unit_concern.csv" --interval "$interval" >"$demo_folder/producer.log" 2>&1 &
    producer=$!
    await_topic "$programs/tfi-consumer" "$producer" || demo_failed "the producer did not make the topic"
    "$programs/tfi-consumer" run --http 127.0.0.1:0 >"$demo_folder/consumer.log" 2>&1 &
    consumer=$!
    await_page || demo_failed "the consumer serves no page"
    echo "the day as a live page: $page"

    watch_day "$producer" "$consumer" "$total" || demo_failed "the consumer ended, or the database was lost"
    wait "$producer" || { producer=''; demo_failed "the producer ended with an error"; }
    producer=''
    local n rows=0
    for ((n = 0; n < 150 && rows < total; n++)); do
        ((n == 0)) || sleep 0.2
        rows=$(demo_psql -c 'SELECT (SELECT count(*) FROM workshop.ucp) + (SELECT count(*) FROM workshop.uc)
            + (SELECT count(*) FROM workshop.dead_letter)')
    done
    [[ -n $stays ]] || end_consumer
    read_tiles || demo_failed "the database was lost"
    rows=${tile[rows]}
    print_table "$total"
    ((rows == total)) || demo_failed "$rows rows of $total messages"
    local wrong
    wrong=$(demo_psql -v expected="$(cat "$day/expected.json")" <<<"$check_sql") ||
        demo_failed "the views could not be compared with $day/expected.json"
    [[ -z $wrong ]] || demo_failed "not as the day has it: ${wrong//$'\n'/, }"
    echo "the whole day is in the database, each message once, and every view is as expected"
    [[ -n $stays ]] || return 0
    echo "the page stays at $page until you press Ctrl-C"
    wait "$consumer" || true
    consumer=''
    demo_failed "the consumer ended"
}
