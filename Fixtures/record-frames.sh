#!/usr/bin/env bash
# Writes Fixtures/frames: requests and responses that other clients and real brokers exchanged, one file per client and
# broker (for the format see frame_recorder.py). All decoders are tested with them.
# usage: record-frames.sh KAFKA_HOME...   needs Java 17 or newer, Python 3 with venv, and access to its package index.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/daemon.sh
source "$here/../scripts/daemon.sh"
kafka=$here/../scripts/kafka.sh
java=${JAVA_HOME:+$JAVA_HOME/bin/}java

(($#)) || fail "usage: record-frames.sh KAFKA_HOME..." 64
work=$(mktemp -d)
finish() {
    end_process "$work/recorder.pid" TERM
    [[ ! -d $work/kafka ]] || "$kafka" remove "$work/kafka" || true
    rm -rf "$work"
}
trap finish EXIT
python=$("$here/../scripts/librdkafka.sh" install)
mkdir -p "$here/frames"

# Runs COMMAND with the address of a recorder in front of BROKER-PORT and with WHAT, and writes NAME.txt.
record() { # NAME PORT BROKER-PORT WHAT COMMAND [ARG]...
    local name=$1 port=$2 broker_port=$3 what=$4
    shift 4
    launch "$work/recorder.pid" "$work/recorder.log" \
        python3 "$here/frame_recorder.py" "$port" "$broker_port" "$work/frames"
    for _ in {1..100}; do
        # shellcheck disable=SC2188  # only tests the connection
        if (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
        sleep 0.1
    done
    "$@" "127.0.0.1:$port" "$what" || { cat "$work/recorder.log" >&2; fail "recording $name failed"; }
    end_process "$work/recorder.pid" TERM
    mv "$work/frames" "$here/frames/$name.txt"
}

# Starts a new broker for each client, because one client's topics and groups would disturb the other.
record_calls() { # KAFKA_HOME CLIENT COMMAND [ARG]...
    local home=$1 client=$2 version port broker_port has_groups=true
    shift 2
    version=$(KAFKA_HOME=$home "$kafka" version)
    [[ $version != 3.* ]] || has_groups=false
    { read -r port; read -r broker_port; } < <(free_ports 2)
    # The broker advertises the recorder's address.
    KAFKA_HOME=$home "$kafka" up "$work/kafka" --owner $$ --port "$broker_port" \
        --set "advertised.listeners=PLAINTEXT://127.0.0.1:$port" \
        --set authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer \
        --set super.users=User:ANONYMOUS --set group.consumer.heartbeat.interval.ms=500 \
        --set group.consumer.min.heartbeat.interval.ms=500 >/dev/null
    record "$client-kafka-$version" "$port" "$broker_port" "$has_groups" "$@"
    "$kafka" remove "$work/kafka"
}

# Only the login goes through the recorder. After that the client knows the brokers' own addresses.
record_logins() { # KAFKA_HOME
    local home=$1 version address
    version=$(KAFKA_HOME=$home "$kafka" version)
    KAFKA_HOME=$home "$kafka" up "$work/kafka" --owner $$ --secure >/dev/null
    address=$(sed -n 's/^sasl_plaintext //p' "$work/kafka/listeners")
    record "java-login-kafka-$version" "$(free_ports 1)" "${address#*:}" login "${java_client[@]}"
    record "librdkafka-login-kafka-$version" "$(free_ports 1)" "${address#*:}" login "${librdkafka_client[@]}"
    "$kafka" remove "$work/kafka"
}

librdkafka_client=("$python" "$here/record_frames.py")
for home in "$@"; do
    java_client=("$java" -Xmx256m -XX:TieredStopAtLevel=1 -cp "$home/libs/*" "$here/RecordFrames.java")
    record_calls "$home" java "${java_client[@]}"
    record_calls "$home" librdkafka "${librdkafka_client[@]}"
    record_logins "$home"
done
wc -lc "$here"/frames/*
