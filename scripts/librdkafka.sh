#!/usr/bin/env bash
# Installs librdkafka, the Kafka client in C that most languages wrap, as a second implementation to test against. It
# comes with its Python package, in a virtual environment below .build/.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/daemon.sh
source "$here/daemon.sh"
# shellcheck source=scripts/python.sh
source "$here/python.sh"
package=confluent-kafka==2.16.1
environment=${TFI_LIBRDKAFKA_ENV:-$here/../.build/librdkafka}

[[ $# == 1 && $1 == install ]] || {
    echo 'usage: librdkafka.sh install   install it, print the path of the Python that has it' >&2
    exit 64
}
install_python_package "$environment" "$package" confluent_kafka
echo "$environment/bin/python3"
