# shellcheck shell=bash disable=SC2154  # variables that these scripts share
# Measurements for the benchmarks: wall time, CPU time of a program and of the Postgres server, and means over the
# rounds. Sourced by bench.sh, which sets `bench_folder`, `bench_uri`, `bench_rows` and `bench_bytes`.

bench_sql() { psql --no-psqlrc -qAtX -v ON_ERROR_STOP=1 -d "$bench_uri" "$@"; }

# The CPU seconds between two outputs of `times`. Their second line is the shell's children: 0m1.234s 0m0.567s.
children_between() { # BEFORE AFTER
    awk 'function seconds(text, part) { split(text, part, "m"); return part[1] * 60 + part[2] }
        FNR == 2 { total = seconds($1) + seconds($2) - total }
        END { printf "%.3f", total }' "$1" "$2"
}

# The CPU time, in seconds, of all the server's processes: the running ones, and the ended ones, which are included in
# the first process's numbers. 0 if the server is not a visible process of this machine (Docker).
server_seconds() {
    local first children
    first=$(running_pid "$bench_folder/postgres/pid")
    read -ra children < <(cat "/proc/$first/task/$first/children" 2>/dev/null) || true
    children=("$first" "${children[@]}")
    # The fields after the name in parentheses: state, …; utime, stime, cutime and cstime are the 12th to the 15th.
    printf '/proc/%s/stat\n' "${children[@]}" | xargs cat 2>/dev/null | sed 's/.*) //' |
        awk -v ticks="$(getconf CLK_TCK)" '{ total += $12 + $13 + $14 + $15 } END { printf "%.3f", total / ticks }'
}

# Runs a program, or a function that waits for its programs, and sets `wall`, `client` and `server`: the seconds, and
# the CPU seconds (user and system) of the programs and of the server. Output goes to OUT. This shell runs nothing else
# meanwhile.
measure() { # OUT PROGRAM [ARG]...
    local out=$1 before began status=0
    shift
    before=$(server_seconds)
    times >"$bench_folder/times-before"
    began=${EPOCHREALTIME/./}
    "$@" >"$out" 2>"$out.err" || status=$?
    wall=$((${EPOCHREALTIME/./} - began))
    times >"$bench_folder/times-after"
    ((status == 0)) || {
        tail -n 5 "$out" "$out.err" >&2
        fail "$1 ended with status $status" 70
    }
    wall=$(awk -v micro="$wall" 'BEGIN { printf "%.3f", micro / 1e6 }')
    client=$(children_between "$bench_folder/times-before" "$bench_folder/times-after")
    server=$(awk -v after="$(server_seconds)" -v before="$before" 'BEGIN { printf "%.3f", after - before }')
}

# Runs an unmeasured step. Its output is shown only if it fails.
quietly() { # OUT PROGRAM [ARG]...
    local out=$1
    shift
    "$@" >"$out" 2>"$out.err" || {
        tail -n 5 "$out.err" >&2
        fail "$1 $2 failed" 70
    }
}

# Prints a number from the JSON object in the last line of FILE, by name.
json_number() { # NAME FILE
    tail -n 1 "$2" | grep -oE "\"$1\": ?[0-9.eE+-]+" | head -n 1 | sed 's/.*: *//'
}

# The sum of the times that psql prints with \timing, in seconds; with several FILEs the largest sum.
timed_seconds() { # FILE...
    awk '/^Time:/ { total[FILENAME] += $2 }
        END { for (file in total) if (total[file] > most) most = total[file]; printf "%.3f", most / 1000 }' "$@"
}

# Prints a contender's line and stores its numbers. Its name has no blanks.
result() { # ROUND CONTENDER SECONDS PEAK-MB
    printf '%-6s %-16s %12.0f %9.3f %9.3f %10.0f %10.0f %8s\n' "$1" "$2" \
        "$(awk -v rows="$bench_rows" -v seconds="$3" 'BEGIN { print rows / seconds }')" "$3" "$wall" \
        "$(awk -v rows="$bench_rows" -v cpu="$client" 'BEGIN { print cpu * 1e9 / rows }')" \
        "$(awk -v rows="$bench_rows" -v cpu="$server" 'BEGIN { print cpu * 1e9 / rows }')" "$4"
    echo "$1 $2 $3 $client $server $4" >>"$bench_folder/results"
}

result_heading() {
    printf '%-6s %-16s %12s %9s %9s %10s %10s %8s\n' round '' rows/s seconds wall 'client ns' 'server ns' 'peak MB'
}

# Prints each contender's mean CPU, and its speed relative to the baselines, which come first: the geometric mean of the
# rounds' ratios.
summary() { # BASELINES
    awk -v baselines="$1" -v rows="$bench_rows" -v bytes="$bench_bytes" '
        !($2 in runs) { order[++contenders] = $2 }
        { seconds[$1, $2] = $3; client[$2] += $4; server[$2] += $5; runs[$2]++; if ($6 + 0 > peak[$2]) peak[$2] = $6 + 0 }
        END {
            for (i = 1; i <= contenders; i++) {
                name = order[i]
                printf "%s: CPU %.0f ns/row (%.2f ns/byte of messages), server %.0f ns/row", name,
                    client[name] * 1e9 / rows / runs[name], client[name] * 1e9 / bytes / runs[name],
                    server[name] * 1e9 / rows / runs[name]
                print peak[name] ? ", peak memory " peak[name] " MB" : ""
            }
            count = split(baselines, base, " ")
            for (i = 1; i <= contenders; i++) for (j = 1; j <= count; j++) {
                name = order[i]
                if (index(" " baselines " ", " " name " ")) continue
                sum = 0; low = 1e9; high = 0
                for (round = 1; round <= runs[name]; round++) {
                    ratio = seconds[round, base[j]] / seconds[round, name]
                    sum += log(ratio)
                    if (ratio < low) low = ratio
                    if (ratio > high) high = ratio
                }
                printf "%s relative to %s: %.3f (%.3f to %.3f)\n", name, base[j], exp(sum / runs[name]), low, high
            }
        }' "$bench_folder/results"
}
