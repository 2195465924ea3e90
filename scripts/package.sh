#!/usr/bin/env bash
# Builds the Debian package: programs, systemd unit, man pages, completions, and examples.
#
# The programs include Swift's runtime, so that the package installs on machines without a Swift toolchain. Their other
# libraries come from Debian, and the package depends on them. The same programs, sources and SOURCE_DATE_EPOCH
# (default: the time of the last commit) produce the same package, byte for byte.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/daemon.sh
source "$root/scripts/daemon.sh"
# shellcheck source=scripts/prerequisites.sh
source "$root/scripts/prerequisites.sh"
products=(tfi-consumer tfi-producer kafkawire)
build=$root/.build/package

usage() {
    cat >&2 <<'END'
usage: package.sh [--programs FOLDER] [--output FOLDER]
Builds tfi-consumer_VERSION_ARCHITECTURE.deb and prints its path.
  --programs FOLDER   use the programs in FOLDER, linked with --static-swift-stdlib; by default they are built below
                      .build/package if they are missing or older than their sources, which takes minutes
  --output FOLDER     the folder for the package (default: .build/package)
Environment: SOURCE_DATE_EPOCH (the package's date, in seconds since 1970), DEBFULLNAME and DEBEMAIL (both: the
maintainer's name and address; default: tfi-consumer maintainers <root@localhost.localdomain>).
END
    exit 64
}

# Builds the programs that are missing or older than their sources.
build_static_programs() {
    local product program newer
    for product in "${products[@]}"; do
        program=$build/swift/release/$product
        if [[ -x $program ]]; then
            newer=$(find "$root/Sources" "$root/Package.swift" -newer "$program" -print -quit)
            [[ -n $newer ]] || continue
        fi
        need_packages build
        echo "building $product" >&2
        (cd "$root" && swift_build -c release --static-swift-stdlib --scratch-path "$build/swift" \
            --product "$product") >"$build/build.log" 2>&1 ||
            { tail -n 30 "$build/build.log" >&2; fail "the build failed: see $build/build.log" 70; }
        # SwiftPM does not link an up-to-date program again; the new date records this check.
        touch "$program"
    done
}

# The time of the last commit; without Git that of the newest source file.
source_date() {
    git -C "$root" log -1 --format=%ct 2>/dev/null ||
        find "$root/Sources" "$root/Package.swift" -type f -printf '%T@\n' | sort -n | tail -n 1 | cut -d . -f 1
}

maintainer() {
    if [[ -n ${DEBFULLNAME:-} && -n ${DEBEMAIL:-} ]]; then
        echo "$DEBFULLNAME <$DEBEMAIL>"
    else
        echo "tfi-consumer maintainers <root@localhost.localdomain>"
    fi
}

# The packages that own the programs' libraries, with the versions that their symbols need.
dependencies() { # STAGING
    local folder=$build/shlibdeps depends program libraries
    for program in "${products[@]}"; do
        libraries=$(ldd "$1/usr/bin/$program") || fail "$program is not a program for this machine" 65
        if grep -q 'libswift\|libFoundation' <<<"$libraries"; then
            fail "$program needs Swift's shared libraries; build it with --static-swift-stdlib" 65
        fi
        if grep 'not found' <<<"$libraries" >&2; then fail "a library of $program is missing here" 69; fi
    done
    mkdir -p "$folder/debian"
    printf 'Source: tfi-consumer\n\nPackage: tfi-consumer\nArchitecture: any\n' >"$folder/debian/control"
    depends=$(cd "$folder" && dpkg-shlibdeps -O "${products[@]/#/-e$1/usr/bin/}" 2>"$build/shlibdeps.log") ||
        { cat "$build/shlibdeps.log" >&2; fail "dpkg-shlibdeps failed" 70; }
    echo "${depends#shlibs:Depends=}"
}

install_files() { # STAGING PROGRAMS VERSION DATE
    local staging=$1 product documents=$1/usr/share/doc/tfi-consumer examples
    examples=$documents/examples
    for product in "${products[@]}"; do
        install -D -m 755 -s "$2/$product" "$staging/usr/bin/$product"
        install -D -m 644 "$build/pages/bash/$product" "$staging/usr/share/bash-completion/completions/$product"
        install -D -m 644 "$build/pages/zsh/_$product" "$staging/usr/share/zsh/vendor-completions/_$product"
        install -D -m 644 "$build/pages/$product.1" "$staging/usr/share/man/man1/$product.1"
        gzip -9n "$staging/usr/share/man/man1/$product.1"
    done
    install -D -m 644 "$root/Operations/systemd/tfi-consumer@.service" \
        "$staging/lib/systemd/system/tfi-consumer@.service"
    install -D -m 640 "$root/Operations/systemd/plant.env" "$staging/etc/tfi-consumer/plant.env"
    install -D -m 644 "$root/Operations/debian/copyright" "$documents/copyright"
    install -D -m 644 "$root/Operations/debian/lintian-overrides" "$staging/usr/share/lintian/overrides/tfi-consumer"
    # In Debian's terms the package is native: there is no separate upstream version.
    printf 'tfi-consumer (%s) stable; urgency=medium\n\n  * Release of version %s.\n\n -- %s  %s\n' "$3" "$3" \
        "$(maintainer)" "$(LC_ALL=C date -u -R -d "@$4")" | gzip -9n >"$documents/changelog.gz"
    install -D -m 644 "$root/Operations/systemd/plant.env" "$examples/plant.env"
    install -D -m 644 -t "$examples/mappings" "$root"/Operations/mappings/*
    "$staging/usr/bin/tfi-consumer" mapping >"$examples/mappings/plant.yaml"
    install -D -m 644 -t "$examples/day" "$root"/Fixtures/day/{README.md,expected.json,*.csv}
    install -D -m 644 "$root/Operations/alerts.yml" "$examples/alerts.yml"
    install -D -m 644 -t "$examples/kubernetes" "$root"/Operations/kubernetes/*
    install -D -m 644 "$root/docs/operations.md" "$documents/operations.md"
    chmod 644 "$documents/changelog.gz" "$examples/mappings/plant.yaml"
}

control_files() { # STAGING VERSION ARCHITECTURE
    local folder=$1/DEBIAN depends size script
    depends=$(dependencies "$1")
    size=$(du -k -s --apparent-size --exclude=DEBIAN "$1" | cut -f 1)
    mkdir -p "$folder"
    sed -e "s|@version@|$2|; s|@architecture@|$3|; s|@maintainer@|$(maintainer)|; s|@size@|$size|" \
        -e "s/@depends@/${depends//|/\\|}/" "$root/Operations/debian/control.in" >"$folder/control"
    for script in postinst prerm postrm; do
        install -m 755 "$root/Operations/debian/$script" "$folder/$script"
    done
    (cd "$1" && find etc -type f -printf '/%p\n' | sort) >"$folder/conffiles"
    (cd "$1" && find usr lib -type f -print0 | sort -z | xargs -0 md5sum) >"$folder/md5sums"
    chmod 644 "$folder"/{control,conffiles,md5sums}
}

programs='' output=$build
while (($#)); do
    (($# >= 2)) || usage
    case $1 in
        --programs) programs=$2 ;;
        --output) output=$2 ;;
        *) usage ;;
    esac
    shift 2
done
need_packages package
umask 022
mkdir -p "$build" "$output"
if [[ -z $programs ]]; then
    build_static_programs
    programs=$build/swift/release
fi
for product in "${products[@]}"; do
    [[ -x $programs/$product ]] || fail "no program $programs/$product" 66
done
version=$("$programs/tfi-consumer" --version)
version=${version##* }
# To Debian a hyphen begins the packaging's own revision, and a tilde sorts before the release.
version=${version//-/\~}
[[ $version =~ ^[0-9][0-9A-Za-z.+~]*$ ]] || fail "'$version' is not a valid Debian version" 65
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(source_date)}
export SOURCE_DATE_EPOCH
architecture=$(dpkg --print-architecture)
staging=$build/staging
rm -rf "$staging" "$build/pages" "$build/shlibdeps"
mkdir "$staging"
"$root/scripts/help-pages.py" "$programs" "$build/pages"
install_files "$staging" "$programs" "$version" "$SOURCE_DATE_EPOCH"
control_files "$staging" "$version" "$architecture"
find "$staging" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
package=$output/tfi-consumer_${version}_$architecture.deb
# A higher level takes minutes for a tenth of the size; more threads would change the bytes.
dpkg-deb --root-owner-group -Zxz -z1 --threads-max=1 --build "$staging" "$package" >&2
echo "$package"
