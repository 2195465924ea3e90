#!/usr/bin/env bash
# Kills process groups when its input ends. A test process holds the other end of the input, so that its programs end
# with it, even if it is killed. A line "+GROUP" adds a group, and "-GROUP" removes one.
set -euo pipefail
declare -A groups
while read -r line; do
    group=${line:1}
    [[ $group =~ ^[1-9][0-9]*$ ]] || continue
    case $line in
        +*) groups[$group]=1 ;;
        -*) unset "groups[$group]" ;;
    esac
done
for group in "${!groups[@]}"; do kill -KILL -- "-$group" 2>/dev/null || true; done
