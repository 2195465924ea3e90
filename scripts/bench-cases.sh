# shellcheck shell=bash disable=SC2034,SC2154  # variables that these scripts share
# The benchmarks' data: the plant's messages (as they are, into other kinds of tables, or by upsert), and wide messages.
# Each case has the tables `bench_tables`, whose rows are in the schema `template`. CASE_prepare creates and sends
# everything, CASE_tables creates the tables in another schema, and `case_init` and `case_run` are the options of
# `tfi-consumer`. Sourced by bench.sh.

# Sends the plant's messages and fills the tables of `template` from them. That run is also the warm-up.
plant_prepare() {
    bench_tables=(ucp uc)
    quietly "$bench_folder/producer.out" "$bench_programs/tfi-producer" generate --records "$bench_records" \
        --partitions "$bench_partitions" --summary-json
    echo "tfi-producer: $(tail -n 1 "$bench_folder/producer.out")"
    quietly "$bench_folder/init.out" "$bench_programs/tfi-consumer" init --schema template
    warm_up template
}

# An unmeasured run. Its totals include the bytes of all messages.
warm_up() { # SCHEMA
    quietly "$bench_folder/first.out" "$bench_programs/tfi-consumer" run --standalone --until-caught-up --summary-json \
        --schema "$1" "${case_run[@]}"
    bench_bytes=$(json_number bytes "$bench_folder/first.out")
}

plant_tables() { # SCHEMA
    bench_sql -c "CREATE TABLE $1.ucp (LIKE template.ucp INCLUDING ALL)" \
        -c "CREATE TABLE $1.uc (LIKE template.uc INCLUDING ALL)"
}

# --into: the plant's tables with an index, or partitioned.
unique_prepare() { plant_prepare; }
unique_tables() { # SCHEMA
    plant_tables "$1"
    bench_sql -c "CREATE UNIQUE INDEX ON $1.ucp (qls_unit_id, collection_point_id)"
}

brin_prepare() { plant_prepare; }
brin_tables() { # SCHEMA
    plant_tables "$1"
    bench_sql -c "CREATE INDEX ON $1.ucp USING brin (unit_collection_pt_timestamp)" \
        -c "CREATE INDEX ON $1.uc USING brin (unit_collection_pt_timestamp)"
}

# One partition per month.
partitions_prepare() { plant_prepare; }
partitions_tables() { # SCHEMA
    bench_sql -c "DO \$\$
        DECLARE parent text; month timestamp; latest timestamp;
        BEGIN
            SELECT date_trunc('month', min(unit_collection_pt_timestamp)), max(unit_collection_pt_timestamp)
                INTO month, latest FROM (SELECT unit_collection_pt_timestamp FROM template.ucp
                    UNION ALL SELECT unit_collection_pt_timestamp FROM template.uc) AS t;
            FOREACH parent IN ARRAY ARRAY['ucp', 'uc'] LOOP
                EXECUTE format('CREATE TABLE $1.%I (LIKE template.%I INCLUDING ALL)
                    PARTITION BY RANGE (unit_collection_pt_timestamp)', parent, parent);
                FOR i IN 0..(extract(epoch FROM latest - month) / 86400 / 28)::int LOOP
                    EXECUTE format('CREATE TABLE $1.%I PARTITION OF $1.%I FOR VALUES FROM (%L) TO (%L)',
                        parent || '_' || i, parent, month + i * interval '1 month', month + (i + 1) * interval '1 month');
                END LOOP;
            END LOOP;
        END \$\$"
}

# --mode upsert: the passages into a table with a key; half of its rows exist already.
upsert_columns='qls_unit_id, unit_collection_pt_timestamp, collection_point_id, zone_id'

upsert_prepare() {
    local rows batches size i
    plant_prepare
    bench_tables=(target)
    bench_sql -c "CREATE TABLE template.target AS
            SELECT DISTINCT ON (qls_unit_id, collection_point_id) $upsert_columns FROM template.ucp
            ORDER BY qls_unit_id, collection_point_id, unit_collection_pt_timestamp DESC" \
        -c "CREATE TABLE template.numbered AS SELECT *, (row_number() OVER ())::int AS n FROM template.ucp" \
        -c "CREATE INDEX ON template.numbered (n)" -c "ANALYZE"
    write_mapping <<'END'
routes:
  - topic: TFI
    when: { key: unit_collection_point }
    table: round.target
    mode: upsert
    key: [qls_unit_id, collection_point_id]
unrouted: ignore
END
    first_run
    # The baseline has as many rows per transaction as tfi-consumer had.
    batches=$(json_number batches "$bench_folder/first.out")
    rows=$(bench_sql -c 'SELECT count(*) FROM template.numbered')
    size=$(((rows + batches - 1) / batches))
    bench_rows=$rows
    echo "psql: $size rows in a transaction, as many as tfi-consumer"
    echo "SET synchronous_commit = off;" >"$bench_folder/upsert.sql"
    for ((i = 0; i < batches; i++)); do
        bench_sql -c "\\copy (SELECT $upsert_columns, n FROM template.numbered WHERE n > $((i * size)) \
AND n <= $(((i + 1) * size)) ORDER BY n) to '$bench_folder/part$i.copy' (format binary)"
        upsert_statements "$bench_folder/part$i.copy" >>"$bench_folder/upsert.sql"
    done
}

upsert_tables() { # SCHEMA
    bench_sql -c "CREATE TABLE $1.target (LIKE template.target, PRIMARY KEY (qls_unit_id, collection_point_id))" \
        -c "INSERT INTO $1.target SELECT * FROM template.target WHERE hashint4(qls_unit_id) % 2 = 0"
}

upsert_statements() { # FILE
    cat <<END
BEGIN;
CREATE TEMPORARY TABLE staged ON COMMIT DROP AS SELECT $upsert_columns, 0 AS n FROM baseline.target WITH NO DATA;
\\copy staged from '$1' (format binary)
INSERT INTO baseline.target ($upsert_columns) SELECT $upsert_columns FROM (
    SELECT DISTINCT ON (qls_unit_id, collection_point_id) * FROM staged
    ORDER BY qls_unit_id, collection_point_id, n DESC) AS latest
ON CONFLICT (qls_unit_id, collection_point_id) DO UPDATE SET
    unit_collection_pt_timestamp = excluded.unit_collection_pt_timestamp, zone_id = excluded.zone_id;
COMMIT;
END
}

# --mapping wide: 30 fields, nested. The rows come first, and the messages are made from them. Each line has a column,
# its type, the path of its field, and an expression of the row's number i.
wide_fields() {
    cat <<'END'
id            bigint        $.id                   7000000000 + i
line          smallint      $.head.line            i % 12
machine       text          $.head.machine         'press-' || i % 97
article       varchar(20)   $.head.article         'A-' || lpad((i % 9973)::text, 7, '0')
batch         uuid          $.head.batch           md5((i / 500)::text)::uuid
serial        text          $.head.serial          upper(md5(i::text))
operator      text          $.head.operator.name   (ARRAY['Jörg Größl', 'Ana Peña', 'Tom "TJ" Jones', 'Li Wei'])[1 + i % 4]
shift         smallint      $.head.operator.shift  1 + i % 3
started       timestamptz   $.time.started         timestamptz '2024-01-08 06:00Z' + i * interval '0.137 s'
ended         timestamptz   $.time.ended           timestamptz '2024-01-08 06:00:41.25Z' + i * interval '0.137 s'
local_time    timestamp     $.time.local           timestamp '2024-01-08 07:00' + i * interval '0.137 s'
day           date          $.time.day             date '2024-01-08' + (i / 630000)::int
cycle         integer       $.time.cycle_ms        38000 + i * 7 % 5000
passed        boolean       $.result.passed        i % 50 <> 0
grade         text          $.result.grade         CASE WHEN i % 50 <> 0 THEN 'A' END
remark        text          $.result.remark        CASE WHEN i % 20 = 0 THEN E'by hand,\tsee sheet ' || i ELSE '' END
torque        numeric(12,4) $.process.torque       (i * 37 % 1000000)::numeric / 10000
weight        numeric(10,3) $.process.weight       1500 + (i * 11 % 100000)::numeric / 1000
cost          numeric       $.process.cost         (i * 13 % 100000000)::numeric / 1000000
temperature   float8        $.process.temperature  180 + (i * 31 % 10000)::float8 / 700
pressure      float8        $.process.pressure     2.5e5 + (i * 17 % 10000)::float8 / 3
vibration     real          $.process.vibration    ((i * 19 % 1000)::float8 / 999)::real
energy        bigint        $.process.energy       123456789012 + i
humidity      float8        $.process.humidity     (i * 23 % 1000)::float8 / 10
x             float8        $.process.position.x   (i * 3 % 20000)::float8 / 1000
y             float8        $.process.position.y   (i * 5 % 20000)::float8 / 1000
z             float8        $.process.position.z   -(i * 7 % 20000)::float8 / 1000
program       text          $.tool.program         '/prog/line' || i % 12 || '/p' || i % 311 || '.nc'
wear          integer       $.tool.wear            i % 10000
alarms        text[]        $.tool.alarms          CASE WHEN i % 10 = 0 THEN ARRAY['E' || i % 300, 'W17'] ELSE '{}' END
END
}

wide_prepare() {
    local definition values
    build_programs kafkawire
    bench_tables=(wide)
    definition=$(wide_fields | awk '{ printf "%s%s %s", (NR > 1 ? ", " : ""), $1, $2 }')
    values=$(wide_fields | sed -E 's/^([^ ]+ +){3}//' | paste -s -d ,)
    bench_sql -c 'CREATE SCHEMA template' -c "CREATE TABLE template.wide ($definition)" \
        -c "INSERT INTO template.wide SELECT $values FROM generate_series(1, $bench_records::bigint) AS i" -c 'ANALYZE'
    {
        printf 'routes:\n  - topic: wide\n    table: round.wide\n    columns:\n'
        wide_fields | awk '{ print "      " $1 ": " $3 }'
    } | write_mapping
    quietly "$bench_folder/topic.out" "$bench_programs/kafkawire" topics create wide --partitions "$bench_partitions" \
        -b "$TFI_BOOTSTRAP_SERVERS"
    # This form of CSV does not change the text, so each line is a message.
    bench_sql -c "COPY (SELECT $(wide_message) FROM template.wide) TO STDOUT
        (FORMAT csv, DELIMITER E'\\x02', QUOTE E'\\x01')" |
        quietly "$bench_folder/producer.out" "$bench_programs/kafkawire" -P -t wide -b "$TFI_BOOTSTRAP_SERVERS"
    first_run
}

# An SQL expression for the message of a row. Consecutive paths with the same beginning share an object.
wide_message() {
    wide_fields | awk '
        function separator() { return text == "" || text ~ /\($/ ? "" : ", " }
        {
            count = split(substr($3, 3), part, ".")
            for (same = 0; same < count - 1 && same < depth && part[same + 1] == open[same + 1]; same++);
            for (; depth > same; depth--) text = text ")"
            while (depth < count - 1) {
                depth++
                open[depth] = part[depth]
                text = text separator() "\047" part[depth] "\047, json_build_object("
            }
            text = text separator() "\047" part[count] "\047, " $1
        }
        END {
            for (; depth > 0; depth--) text = text ")"
            print "json_build_object(" text ")"
        }'
}

wide_tables() { bench_sql -c "CREATE TABLE $1.wide (LIKE template.wide)"; } # SCHEMA

# Writes the mapping from standard input.
write_mapping() { cat >"$bench_folder/mapping.yaml"; }

# The first run with its own mapping. It must reproduce the rows of `template`, and is the warm-up.
first_run() {
    case_run=(--mapping "$bench_folder/mapping.yaml") case_init=(--offsets-only)
    begin_contender round
    warm_up round
    compare_rows round 'the first run'
    bench_sql -c 'SET client_min_messages = warning' -c 'DROP SCHEMA round CASCADE'
}
