#!/usr/bin/env bash
# Breaks the code on purpose, one mutation of scripts/mutations.txt at a time, and expects a test to detect each. Run by
# hand. All mutations are compiled in at once, each behind a switch that an environment variable turns on, so that one
# build serves all of them, and a mutation costs only the tests that its line names.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/prerequisites.sh
source "$root/scripts/prerequisites.sh"

usage() {
    cat >&2 <<'END'
usage: mutate.sh [--check] [--tree DIR] [NAME]...
Runs the mutations NAME, or all of them. It does not touch the checkout: it copies the files to DIR (default
.build/mutate/tree), which has its own build; the first one takes minutes.
Tests that need a server (Kafka, Postgres) can only detect a mutation if there is one.
  --check   only check whether each mutation's text still occurs exactly once in its file
Exit status 1 if a mutation survives its tests or no longer applies.
END
    exit 64
}

tree=$root/.build/mutate/tree only_check=
while [[ ${1:-} == -* ]]; do
    case $1 in
        --check) only_check=1; shift ;;
        --tree) tree=${2:?}; shift 2 ;;
        *) usage ;;
    esac
done

# Counts how often a text occurs in another one.
occurrences() { # TEXT IN
    local without=${2//"$1"/}
    echo $(((${#2} - ${#without}) / ${#1}))
}

names=() files=() olds=() news=() filters=()
read_mutations() { # NAME...
    local line rest fields name
    while IFS= read -r line; do
        [[ $line && $line != \#* ]] || continue
        fields=() rest=$line
        while [[ $rest == *' ;; '* ]]; do
            fields+=("${rest%%' ;; '*}")
            rest=${rest#*' ;; '}
        done
        fields+=("$rest")
        if ((${#fields[@]} != 5)); then
            echo "mutations.txt: not five fields: $line" >&2
            return 70
        fi
        for name; do [[ $name == "${fields[0]}" ]] && break; done
        if (($#)) && [[ $name != "${fields[0]}" ]]; then continue; fi
        names+=("${fields[0]}") files+=("${fields[1]}") olds+=("${fields[2]}") news+=("${fields[3]}")
        filters+=("${fields[4]}")
    done <"$root/scripts/mutations.txt"
    ((${#names[@]})) || { echo "no mutation has this name" >&2; return 64; }
}

# Checks whether each text occurs exactly once in its file.
check_mutations() {
    local index count wrong=0
    for index in "${!names[@]}"; do
        count=0
        if [[ -f $root/${files[index]} ]]; then
            count=$(occurrences "${olds[index]}" "$(<"$root/${files[index]}")")
        fi
        if ((count != 1)); then
            echo "${names[index]}: its text occurs $count times in ${files[index]}, not once" >&2
            wrong=1
        fi
    done
    return "$wrong"
}

# Prints the code with a mutation behind its switch.
switched() { # NAME OLD NEW
    case $3 in
        -) printf 'if !isMutant("%s") { %s }' "$1" "$2" ;;
        \"*\") printf '\\(isMutant("%s") ? %s : "%s")' "$1" "$3" "$2" ;;
        *) printf '(isMutant("%s") ? (%s) : (%s))' "$1" "$3" "$2" ;;
    esac
}

# Copies the checkout and applies the mutations. Unchanged files keep their time, so that they are not compiled again.
prepare_tree() {
    local stage=$tree/.build/mutate index file text module
    rm -rf "$stage"
    mkdir -p "$stage"
    git -C "$root" ls-files --cached --others --exclude-standard -z |
        tar -C "$root" --null --ignore-failed-read -T - -cf - | tar -C "$stage" -xf -
    for file in $(printf '%s\n' "${files[@]}" | sort -u); do
        text=$(<"$stage/$file")
        for index in "${!names[@]}"; do
            [[ ${files[index]} == "$file" ]] || continue
            # Quoted, since a plain & would insert the old text.
            text=${text/"${olds[index]}"/"$(switched "${names[index]}" "${olds[index]}" "${news[index]}")"}
        done
        printf '%s\n' "$text" >"$stage/$file"
    done
    for module in $(printf '%s\n' "${files[@]}" | cut -d / -f 1-2 | sort -u); do
        cat >"$stage/$module/Mutant.swift" <<'END'
import Foundation

private let activeMutant = ProcessInfo.processInfo.environment["KAFKAWIRE_MUTANT"]

/// Whether scripts/mutate.sh has switched this mutation on.
@inline(never) func isMutant(_ name: String) -> Bool { activeMutant == name }
END
    done
    (cd "$stage" && find . -type f -print0) | while IFS= read -r -d '' file; do
        cmp -s "$stage/$file" "$tree/$file" && continue
        mkdir -p "$(dirname "$tree/$file")"
        cp "$stage/$file" "$tree/$file"
    done
    # Remove files that no longer exist in the checkout.
    (cd "$tree" && find . \( -path ./.build -o -path ./.git \) -prune -o -type f -print0) |
        while IFS= read -r -d '' file; do [[ -e $stage/$file ]] || rm "$tree/$file"; done
}

run_tests() { # FILTER MUTANT
    KAFKAWIRE_MUTANT=$2 timeout 600 swift test --ignore-lock --skip-build --filter "$1" >"$tree/.build/mutate.log" 2>&1
}

# A filter that selects no test, or only skipped tests, would detect nothing.
tests_ran() { grep -qE '^[^ ]+ +Test ("|[A-Za-z_]+\().* passed after ' "$tree/.build/mutate.log"; }

run_mutations() {
    local index filter survived=() outcome
    cd "$tree"
    swift_build --ignore-lock --build-tests >"$tree/.build/mutate.log" 2>&1 ||
        { grep 'error:' "$tree/.build/mutate.log" | sort -u | head -n 20 >&2; return 70; }
    # Tests that fail without a mutation say nothing about one.
    while IFS= read -r filter; do
        run_tests "$filter" none ||
            { tail -n 20 "$tree/.build/mutate.log" >&2; echo "these tests fail without a mutation: $filter" >&2; return 70; }
        tests_ran || { echo "no test ran: $filter (do the tests need a server that is missing?)" >&2; return 69; }
    done < <(printf '%s\n' "${filters[@]}" | sort -u)
    for index in "${!names[@]}"; do
        outcome=detected
        if run_tests "${filters[index]}" "${names[index]}"; then
            outcome=SURVIVED
            survived+=("${names[index]}")
        fi
        printf '%-10s %s\n' "$outcome" "${names[index]}"
    done
    echo "$((${#names[@]} - ${#survived[@]})) of ${#names[@]} detected"
    ((${#survived[@]} == 0)) || { echo "not detected: ${survived[*]}" >&2; return 1; }
}

read_mutations "$@"
check_mutations || exit 1
if [[ $only_check ]]; then
    echo "${#names[@]} mutations apply"
    exit 0
fi
prepare_tree
run_mutations
