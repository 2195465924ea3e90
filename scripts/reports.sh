# shellcheck shell=bash
# Evaluates the log of a test run and the reports of a sanitizer. Sourced, not run.

# Creates an empty folder for reports below a build's folder, and prints its path.
new_reports() { # BUILD
    mkdir -p "$1"
    rm -rf "$1/reports"
    mkdir "$1/reports"
    echo "$1/reports"
}

# Prints the address sanitizer's settings: a report goes to a file, and ends the process with a status that no program
# uses. Leak detection is off: programs exit while threads still run, and memory held only by a Dispatch thread or a
# suspended task would be reported as leaked, in some runs but not in others.
address_options() { # REPORTS
    echo "log_path=$1/report:halt_on_error=1:exitcode=99:detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
}

# Prints the reports of all processes, including those that tests started. Fails if there are any.
print_reports() { # REPORTS
    local files
    mapfile -t files < <(find "$1" -name 'report.*' -size +0)
    ((${#files[@]})) || return 0
    cat "${files[@]}" >&2
    echo "the sanitizer reported errors in ${#files[@]} processes: see $1" >&2
    return 1
}

# Prints the lines of a log that report a skipped or cancelled test. The outcome follows the test's name. A name in
# quotes may contain such words, too, so the pattern skips it.
skipped_tests() { # LOG
    grep -E '^[^ ]+ +(Test|Suite) ("[^"]*"|[^" ]+)( with .*)? (skipped(: ".*"|\.?)|was cancelled.*)$' "$1" || true
}

# Prints the lines of a log that report failures. A failing test's output may be thousands of lines above the end.
failed_tests() { # LOG
    grep -E '^[^ ]+ +(Test .* (recorded an issue|failed after)|Fatal error|error:)' "$1" |
        grep -vE '^[^ ]+ +Test run with ' || true
}
