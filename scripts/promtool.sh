#!/usr/bin/env bash
# Provides Prometheus' own checker of metrics and rules for tests. It is unpacked from Debian's package, which is not
# installed, since that would start a server.
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
    # As root, apt would download as a user that cannot write here, and warn about it.
    apt-get download -qq -o APT::Sandbox::User=root prometheus ||
        { apt-get update -qq && apt-get download -qq -o APT::Sandbox::User=root prometheus; } ||
        fail "cannot download Debian's package prometheus" 69
    dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool
    rm prometheus_*.deb
fi
echo "$path"
