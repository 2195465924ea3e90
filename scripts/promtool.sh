#!/usr/bin/env bash
# Brings Prometheus' own checker of figures and rules, for tests: out of Debian's package, which is not installed, since
# that would start a server.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/daemon.sh
source "$here/daemon.sh"
folder=$(cd "$here/.." && pwd)/.build/promtool

[[ $# == 1 && $1 == install ]] || {
    echo 'usage: promtool.sh install   unpack it below .build/, print its path' >&2
    exit 64
}
if path=$(command -v promtool); then
    echo "$path"
    exit 0
fi
path=$folder/usr/bin/promtool
if [[ ! -x $path ]]; then
    command -v apt-get >/dev/null || fail "no promtool: install Prometheus" 69
    mkdir -p "$folder"
    cd "$folder"
    # As root, apt would download as a user that can't write here, and says so.
    apt-get download -qq -o APT::Sandbox::User=root prometheus ||
        { apt-get update -qq && apt-get download -qq -o APT::Sandbox::User=root prometheus; } ||
        fail "Debian's package prometheus can't be downloaded" 69
    dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool
    rm prometheus_*.deb
fi
echo "$path"
