#!/usr/bin/env bash
# Writes Fixtures/records:
# - NAME.log: segment files in which a real broker has stored records of the Java producer
# - NAME.json: the records that the Java consumer reads from them (codecs.json for each of snappy, lz4 and zstd)
# - v0/NAME.log, v1/NAME.log: the same records converted by the broker to message formats 0 and 1
# - murmur2.json: partitions chosen by the Java client
# Needs Java 17 or newer, and KAFKA_HOME (see scripts/kafka.sh) with Kafka 3.9, the last version that converts. Each run
# gives the same offsets, timestamps and contents, except for the broker's own timestamps, producer ids and the
# distribution of records over batches.
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

# The compacted topic needs a frequent cleaner. Any retention would delete the records, which have old timestamps.
"$kafka" up "$work/kafka" --owner $$ --set log.cleaner.backoff.ms=200 \
    --set log.cleaner.enable=true --set log.retention.ms=-1 >/dev/null
mkdir -p "$here/records/v0" "$here/records/v1"
"$java" -Xmx256m -XX:TieredStopAtLevel=1 -cp "$(cat "$work/kafka/home")/libs/*" "$here/MakeRecords.java" \
    "$(cat "$work/kafka/bootstrap")" "$here/records"
"$kafka" down "$work/kafka" >/dev/null
for folder in "$work"/kafka/1/data/[a-z]*-0; do
    name=$(basename "${folder%-0}")
    # Only the compacted topic has several segments. Their names sort by offset.
    cat "$folder"/*.log >"$here/records/$name.log"
done
du -cbh "$here"/records/* | tail -n 1
