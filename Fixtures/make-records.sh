#!/usr/bin/env bash
# Makes Fixtures/records: segment files as a real broker stores what the Java producer writes (NAME.log), what the Java
# consumer reads from them (NAME.json; codecs.json for snappy, lz4 and zstd alike), the same records as the broker
# converts them to message formats 0 and 1 (v0/NAME.log, v1/NAME.log), and partitions chosen by the Java client
# (murmur2.json).
# Needs Java 17 or newer, and KAFKA_HOME (see scripts/kafka.sh) with Kafka 3.9, the last one that converts. Offsets,
# timestamps and contents come out the same each time, except for the broker's own times, producer ids and what the
# producers put into one batch.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kafka=$here/../scripts/kafka.sh
java=${JAVA_HOME:+$JAVA_HOME/bin/}java

work=$(mktemp -d)
finish() {
    "$kafka" remove "$work/kafka" || true
    rm -rf "$work"
}
trap finish EXIT

# The cleaner comes by often, for the compacted topic; the records are too old for any retention.
"$kafka" up "$work/kafka" --owner $$ --set log.cleaner.backoff.ms=200 \
    --set log.cleaner.enable=true --set log.retention.ms=-1 >/dev/null
mkdir -p "$here/records/v0" "$here/records/v1"
"$java" -Xmx256m -XX:TieredStopAtLevel=1 -cp "$(cat "$work/kafka/home")/libs/*" "$here/MakeRecords.java" \
    "$(cat "$work/kafka/bootstrap")" "$here/records"
"$kafka" down "$work/kafka" >/dev/null
for folder in "$work"/kafka/1/data/[a-z]*-0; do
    name=$(basename "${folder%-0}")
    # Only compaction leaves more than one segment; their names sort by offset.
    cat "$folder"/*.log >"$here/records/$name.log"
done
du -cbh "$here"/records/* | tail -n 1
