#!/usr/bin/env bash
# Tests the live page in a browser: Debian's Chromium, driven by Selenium from Python's package index, in a virtual
# environment below .build/.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/daemon.sh
source "$here/daemon.sh"
# shellcheck source=scripts/prerequisites.sh
source "$here/prerequisites.sh"
# shellcheck source=scripts/python.sh
source "$here/python.sh"
environment=${TFI_PAGE_ENV:-$here/../.build/page}
tests=$here/../Tests/Page

usage() {
    cat >&2 <<'END'
usage: page-tests.sh [TEST]...                        all tests, or those named, for example test_page.DayTests
       page-tests.sh --at ADDRESS --expect FILE       compare the figures of a running server's page with a file: the
                                                      JSON object "tiles" of a picture
       page-tests.sh --screenshots FOLDER             take screenshots of the page, in all sizes and both themes
       page-tests.sh install                          only install what the tests need
END
    exit 64
}

mode=tests address='' expected='' folder=''
names=()
while (($#)); do
    case $1 in
        --at) (($# > 1)) || usage; mode=at address=$2; shift ;;
        --expect) (($# > 1)) || usage; expected=$2; shift ;;
        --screenshots) (($# > 1)) || usage; mode=screenshots folder=$(realpath -m -- "$2"); shift ;;
        install) mode=install ;;
        -*) usage ;;
        *) names+=("$1") ;;
    esac
    shift
done
[[ $mode == at && -n $expected || $mode != at && -z $expected ]] || usage
[[ -z $expected ]] || expected=$(realpath -e -- "$expected") || fail "the file of --expect does not exist" 66

need_packages python chromium
install_python_package "$environment" selenium==4.51.0 selenium
install_python_package "$environment" axe-selenium-python==2.1.6 axe_selenium_python
install_python_package "$environment" esprima==4.0.1 esprima
environment=$(cd "$environment" && pwd)
cd "$tests"
# Prevent Selenium from looking for a browser on the network.
export SE_OFFLINE=true SE_AVOID_STATS=true PYTHONDONTWRITEBYTECODE=1
case $mode in
    install) echo "$environment/bin/python3" ;;
    screenshots) exec "$environment/bin/python3" screenshots.py "$folder" ;;
    at) TFI_PAGE_ADDRESS=$address TFI_PAGE_EXPECTED=$expected exec "$environment/bin/python3" -m unittest -v address ;;
    tests)
        if ((${#names[@]})); then
            exec "$environment/bin/python3" -m unittest -v "${names[@]}"
        fi
        exec "$environment/bin/python3" -m unittest discover -v ;;
esac
