#!/usr/bin/env bash
# Makes Fixtures/records: segment files as a real broker stores what the Java producer writes (NAME.log), what the Java
# consumer reads from them (NAME.json), and partitions chosen by the Java client (murmur2.json).
# Needs KAFKA_HOME (see scripts/kafka.sh) and Java 17 or newer. Offsets, timestamps and contents come out the same each
# time, except for the broker's own times, producer ids and what the producers put into one batch.
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

# The cleaner comes by often, for the compacted topic.
"$kafka" up "$work/kafka" --owner $$ --set log.cleaner.backoff.ms=200 --set log.cleaner.enable=true >/dev/null
mkdir -p "$here/records"
"$java" -Xmx256m -XX:TieredStopAtLevel=1 -cp "$(cat "$work/kafka/home")/libs/*" "$here/MakeRecords.java" \
    "$(cat "$work/kafka/bootstrap")" "$here/records"
"$kafka" down "$work/kafka" >/dev/null
for json in "$here"/records/*.json; do
    name=$(basename "$json" .json)
    [[ $name != murmur2 ]] || continue
    # Only compaction leaves more than one segment; their names sort by offset.
    cat "$work/kafka/1/data/$name-0/"*.log >"$here/records/$name.log"
done
du -cbh "$here"/records/* | tail -n 1
