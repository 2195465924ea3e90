#!/usr/bin/env bash
# Fuzzes the code that reads data from brokers: the decoders of all responses, record batches in all formats and codecs,
# and whole conversations with a broker whose answers contain impossible numbers. It also fuzzes the ingest engine's
# inputs: mapping files; JSON paths; messages for columns of any type, which the encoder's fast path must encode like
# its general path; and samples, whose proposed tables must accept them. Needs clang's libFuzzer and address sanitizer,
# which are part of the Swift toolchain.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/daemon.sh
source "$root/scripts/daemon.sh"
# shellcheck source=scripts/prerequisites.sh
source "$root/scripts/prerequisites.sh"

usage() {
    cat >&2 <<'END'
usage: fuzz.sh [SECONDS [responses|records|conversations|mapping|path|encoder|inference]...]
Runs each fuzzer for SECONDS (default 30), or all but conversations if none is named. Inputs that reach new code stay in
.build/fuzz/corpus for the next run. A failing input is stored in .build/fuzz/findings, and the exit status is then 1.
END
    exit 64
}

seconds=${1:-30}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || usage
shift $(($# > 0))
fuzzers=("$@")
((${#fuzzers[@]})) || fuzzers=(responses records mapping path encoder inference)
for fuzzer in "${fuzzers[@]}"; do
    [[ $fuzzer =~ ^(responses|records|conversations|mapping|path|encoder|inference)$ ]] || usage
done

build=$root/.build/fuzz
cd "$root"
# Not optimised: with the sanitizer's checks, optimising takes longer than CI fuzzes.
for target in KafkaWireFuzz IngestEngineFuzz; do
    pattern='responses|records|conversations'
    [[ $target == KafkaWireFuzz ]] || pattern='mapping|path|encoder|inference'
    [[ ${fuzzers[*]} =~ $pattern ]] || continue
    swift_build --scratch-path "$build" --target "$target" \
        -Xswiftc -sanitize=fuzzer,address -Xswiftc -g -Xswiftc -DFUZZER >"$build.log" 2>&1 ||
        { tail -n 20 "$build.log" >&2; exit 1; }
done
# SwiftPM would link programs with their own main function, but libFuzzer provides it.
link() { # PROGRAM OBJECT...
    # gold warns about sanitizer symbols that do not matter.
    swiftc -sanitize=fuzzer,address -o "$@" >"$build.log" 2>&1 || { tail -n 20 "$build.log" >&2; exit 1; }
}
[[ ! ${fuzzers[*]} =~ responses|records|conversations ]] ||
    link "$build/fuzzer" "$build"/debug/{Concurrency,KafkaWire,KafkaFake,KafkaWireFuzz}.build/*.o
[[ ! ${fuzzers[*]} =~ mapping|path|encoder|inference ]] ||
    link "$build/ingest-fuzzer" \
        "$build"/debug/{Concurrency,CommandLineSupport,KafkaWire,PGWire,IngestEngine,IngestEngineFuzz}.build/*.o

echo 'seeds'
if ! { swift_build --build-tests &&
    KAFKAWIRE_FUZZ_SEEDS=$build/seeds swift test --ignore-lock --skip-build --filter '\.(FuzzSeedTests|ConversationTests|IngestFuzzTests)'; } \
    >"$build.log" 2>&1; then
    tail -n 20 "$build.log" >&2
    exit 1
fi

# Larger inputs take longer and find nothing that small ones do not, so most seeds are below 16 KiB. The memory limits
# are coarse; the fuzzers themselves compare each input's memory with its size.
for fuzzer in "${fuzzers[@]}"; do
    mkdir -p "$build/corpus/$fuzzer" "$build/findings"
    limits=(-max_len=16384 -timeout=10 -rss_limit_mb=1024)
    # A conversation has threads and sockets, and ends the process itself if it takes longer than a minute.
    [[ $fuzzer != conversations ]] || limits=(-max_len=50 -timeout=90 -rss_limit_mb=2048)
    program=$build/fuzzer
    if [[ $fuzzer =~ ^(mapping|path|encoder|inference)$ ]]; then
        program=$build/ingest-fuzzer
        limits+=("-dict=$root/scripts/fuzz-words.txt")
    fi
    echo "fuzzing $fuzzer for $seconds s"
    if ! KAFKAWIRE_FUZZER=$fuzzer INGEST_FUZZER=$fuzzer ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 \
        "$program" \
        -max_total_time="$seconds" "${limits[@]}" -malloc_limit_mb=64 \
        -use_value_profile=1 -print_final_stats=1 -print_funcs=0 -artifact_prefix="$build/findings/$fuzzer-" \
        "$build/corpus/$fuzzer" "$build/seeds/$fuzzer" >"$build.log" 2>&1; then
        tail -n 40 "$build.log" >&2
        echo "the fuzzer $fuzzer found a failing input: see $build/findings" >&2
        exit 1
    fi
    grep -E '^stat::number_of_executed_units|^stat::average_exec|^stat::peak_rss' "$build.log"
done
