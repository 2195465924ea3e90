# shellcheck shell=bash
# What the log of a test run and the reports of a sanitizer say. Sourced, not run.

# Makes an empty folder for reports below a build's folder, prints its path.
new_reports() { # BUILD
    mkdir -p "$1"
    rm -rf "$1/reports"
    mkdir "$1/reports"
    echo "$1/reports"
}

# The address sanitizer's settings: a report goes into a file and ends the process with a status that no program has.
# Leaks are not looked for: programs exit while threads are at work, and what only a thread of Dispatch or a suspended
# task holds at that moment is reported as leaked, in some runs and not in others.
address_options() { # REPORTS
    echo "log_path=$1/report:halt_on_error=1:exitcode=99:detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
}

# Prints the reports of all processes, those that tests started among them. Fails if there is any.
print_reports() { # REPORTS
    local files
    mapfile -t files < <(find "$1" -name 'report.*' -size +0)
    ((${#files[@]})) || return 0
    cat "${files[@]}" >&2
    echo "the sanitizer reported something in ${#files[@]} processes: see $1" >&2
    return 1
}

# The lines of a log that name a test as skipped or cancelled. The outcome follows the test's name; a name in quotes may
# have such words too, so it is stepped over.
skipped_tests() { # LOG
    grep -E '^[^ ]+ +(Test|Suite) ("[^"]*"|[^" ]+)( with .*)? (skipped(: ".*"|\.?)|was cancelled.*)$' "$1" || true
}

# The lines of a log that say what failed. What a test printed when it failed may be thousands of lines above the end.
failed_tests() { # LOG
    grep -E '^[^ ]+ +(Test .* (recorded an issue|failed after)|Fatal error|error:)' "$1" |
        grep -vE '^[^ ]+ +Test run with ' || true
}
