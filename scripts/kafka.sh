#!/usr/bin/env bash
# Runs real Apache Kafka brokers (KRaft) on 127.0.0.1 from any Kafka distribution, for tests, the demo and benchmarks.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/daemon.sh
source "$here/daemon.sh"

usage() {
    cat >&2 <<'END'
usage: kafka.sh up DIR [--version-home KAFKA_HOME] [--brokers N] [--port P] [--secure] [--set key=value]...
                         [--owner PID]
       kafka.sh down DIR        stop every broker, keep the data
       kafka.sh remove DIR      kill every broker and remove DIR
       kafka.sh start DIR [I]   start broker I (or all) again, with its port and data
       kafka.sh stop DIR I      stop broker I cleanly
       kafka.sh kill DIR I      kill broker I at once
       kafka.sh archive         store the classes that a broker loads in .build/, so that brokers and tools then
                                start in half the time
       kafka.sh version         the version of the distribution in KAFKA_HOME
       kafka.sh tool NAME ARG...  one of Kafka's own tools: topics, configs, consumer-groups, console-consumer,
                                console-producer, producer-perf, consumer-perf, dump-log, api-versions, or a class name
`up` prints the bootstrap addresses and stores them in DIR/bootstrap. Broker I (from 1) logs to DIR/I/log. Without
--port each broker gets a free port; with it broker I has port P+I-1. --set adds a broker setting, in which %I is
replaced by I. With --owner the brokers are killed and DIR is removed when process PID has ended.
--secure adds listeners with TLS and logins: DIR/listeners has a line `NAME BOOTSTRAP` for each, DIR/tls the PEM files.
  ssl             TLS; a client certificate is verified if the client sends one
  mtls            TLS; a client certificate is required
  expired         TLS with a certificate that has expired
  elsewhere       TLS with a certificate for another host, kafka.example.com
  sasl_plaintext  a login by PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER (unsigned tokens), without TLS
  sasl_ssl        the same over TLS
  reauth          as sasl_ssl, with sessions of 3 s, and without PLAIN and SCRAM-SHA-512
Users are alice (password alice-secret) and bob (password bob=secret). The certificates are for localhost and
127.0.0.1, from DIR/tls/ca.pem; client.pem holds a client's certificate and key, stranger.pem one from another CA,
stranger-ca.pem.
Environment: KAFKA_HOME (a folder with libs/), JAVA_HOME, KAFKA_HEAP_OPTS (default -Xms400m -Xmx400m),
KAFKA_JVM_PERFORMANCE_OPTS (default: fast start; -XX:+UseG1GC for full speed).
END
    exit 64
}

java=${JAVA_HOME:+$JAVA_HOME/bin/}java
home=${KAFKA_HOME:-$here/../../shared/kafka/4.3.1}

need_kafka() {
    [[ -d $home/libs ]] ||
        fail "no Kafka in '$home': set KAFKA_HOME to the folder of a Kafka distribution (it has libs/)" 69
    command -v "$java" >/dev/null || fail "no java: install a Java runtime of version 17 or newer, or set JAVA_HOME" 69
    home=$(cd "$home" && pwd)
}

# Prints the version of the distribution, from the name of its client library.
kafka_version() {
    local jar
    for jar in "$home"/libs/kafka-clients-[0-9]*.jar; do
        jar=${jar##*/kafka-clients-}
        [[ $jar == *'*'* || $jar == *-test* ]] || { echo "${jar%.jar}"; return; }
    done
    fail "no kafka-clients-VERSION.jar in $home/libs" 69
}

quick_options=(-XX:TieredStopAtLevel=1 -XX:+UseSerialGC)

# Prints the path of the class archive for this Java and this distribution, which Java requires to match.
class_archive() {
    local program
    program=$(readlink -f "$(command -v "$java")")
    echo "$here/../.build/kafka-classes-$({ stat -c '%n %s %Y' "$program"; ls -l "$home/libs"; echo "$home"; } | cksum | cut -d ' ' -f 1).jsa"
}

# Prints Java's options for the archive, one per line, if there is one.
archive_options() {
    local archive
    archive=$(class_archive)
    [[ ! -s $archive ]] || printf '%s\n' "-XX:SharedArchiveFile=$archive" -Xlog:cds=off -Xlog:cds+dynamic=off
}

# Runs a broker for a moment. It writes the archive when it ends.
make_archive() {
    need_kafka
    local archive folder
    archive=$(class_archive)
    [[ ! -s $archive ]] || return 0
    mkdir -p "$here/../.build"
    folder=$(mktemp -d)
    KAFKA_JVM_PERFORMANCE_OPTS="${quick_options[*]} -XX:ArchiveClassesAtExit=$folder/classes" KAFKA_HOME=$home \
        "$here/kafka.sh" up "$folder/broker" >/dev/null
    KAFKA_HOME=$home "$here/kafka.sh" down "$folder/broker"
    # Replace the archive atomically, since brokers may read it at the same time.
    [[ ! -s $folder/classes ]] || { cp "$folder/classes" "$archive.$$"; mv "$archive.$$" "$archive"; }
    KAFKA_HOME=$home "$here/kafka.sh" remove "$folder/broker"
    rm -rf "$folder"
}

# Configures both logging libraries of Kafka's releases (reload4j until 3.9, then log4j 2).
write_logging() { # FOLDER LEVEL LOG-FILE (empty: standard error)
    local v1 v2
    if [[ -n $3 ]]; then
        v1="log4j.appender.out=org.apache.log4j.FileAppender
log4j.appender.out.File=$3"
        v2="appender.out.type=File
appender.out.fileName=$3"
    else
        v1="log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.Target=System.err"
        v2="appender.out.type=Console
appender.out.target=SYSTEM_ERR"
    fi
    cat >"$1/log4j.properties" <<END
log4j.rootLogger=$2, out
$v1
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{ISO8601} %p %m (%c)%n
END
    cat >"$1/log4j2.properties" <<END
status=error
$v2
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %m (%c)%n
rootLogger.level=$2
rootLogger.appenderRef.out.ref=out
END
}

logging_options() { # FOLDER
    printf '%s\n' "-Dlog4j.configuration=file:$1/log4j.properties" "-Dlog4j2.configurationFile=$1/log4j2.properties"
}

write_settings() { # DIR I BROKERS VOTERS PORT CONTROLLER-PORT [SETTING]...
    local dir=$1 i=$2 copies=$(($3 < 3 ? $3 : 3)) voters=$4 port=$5 controller=$6
    shift 6
    cat >"$dir/$i/server.properties" <<END
node.id=$i
process.roles=broker,controller
controller.quorum.voters=$voters
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$dir/$i/data
num.partitions=1
default.replication.factor=$copies
min.insync.replicas=1
offsets.topic.replication.factor=$copies
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=$copies
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=$copies
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
# Some tests write very old records. A broker checks after half a minute, and would delete them.
log.retention.ms=-1
# By default the cleaner uses a buffer of 128 MiB, much of this broker's heap, and looks for work only every 15 seconds.
log.cleaner.dedupe.buffer.size=4194304
log.cleaner.backoff.ms=1000
# After this time a killed broker's partitions get another leader, and the broker may register again.
broker.session.timeout.ms=5000
broker.heartbeat.interval.ms=500
END
    (($# == 0)) || printf '%s\n' "${@//%I/$i}" >>"$dir/$i/server.properties"
}

# Creates certificates for the secure listeners: one CA with a broker and a client, and another CA with a client.
make_certificates() { # FOLDER
    local tls=$1 name
    mkdir -p "$tls"
    for name in ca stranger-ca; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=test $name" \
            -keyout "$tls/$name.key" -out "$tls/$name.pem" || return
    done
    certify "$tls" broker ca -days 3650 && certify "$tls" elsewhere ca -days 3650 && certify "$tls" client ca -days 3650 &&
        certify "$tls" stranger stranger-ca -days 3650 || return
    # `openssl x509` cannot create a certificate that ends in the past; `openssl ca` can.
    : >"$tls/index"
    openssl ca -batch -notext -config <(printf '%s\n' '[ca]' 'default_ca=it' '[it]' "database=$tls/index" \
        "new_certs_dir=$tls" 'rand_serial=yes' 'default_md=sha256' 'policy=any' '[any]' 'commonName=supplied') \
        -cert "$tls/ca.pem" -keyfile "$tls/ca.key" -in "$tls/broker.csr" -startdate 200101000000Z \
        -enddate 200201000000Z -extfile <(names_of broker) -out "$tls/expired.crt" || return
    cat "$tls/broker.key" "$tls/expired.crt" >"$tls/expired.pem"
}

names_of() { # WHO
    case $1 in
        broker) echo 'subjectAltName=DNS:localhost,IP:127.0.0.1' ;;
        elsewhere) echo 'subjectAltName=DNS:kafka.example.com' ;;
        *) echo 'extendedKeyUsage=clientAuth' ;;
    esac
}

# Creates WHO.pem with a key and a certificate signed by CA. WHO.key has the key in the only form that all brokers read.
certify() { # FOLDER WHO CA [OPTION]...
    local tls=$1 who=$2 ca=$3
    shift 3
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$who" -keyout "$tls/$who.key" \
        -out "$tls/$who.csr" &&
        openssl x509 -req -in "$tls/$who.csr" -CA "$tls/$ca.pem" -CAkey "$tls/$ca.key" -CAcreateserial "$@" \
            -extfile <(names_of "$who") -out "$tls/$who.crt" &&
        cat "$tls/$who.key" "$tls/$who.crt" >"$tls/$who.pem"
}

secure_listeners='ssl mtls expired elsewhere sasl_plaintext sasl_ssl reauth'

write_secure_settings() { # DIR I PORT...
    local dir=$1 i=$2 name listener protocol listeners='' map='' security='org.apache.kafka.common.security'
    shift 2
    for name in $secure_listeners; do
        case $name in
            sasl_plaintext) protocol=SASL_PLAINTEXT ;;
            sasl_ssl | reauth) protocol=SASL_SSL ;;
            *) protocol=SSL ;;
        esac
        listeners+=",${name^^}://127.0.0.1:$1"
        map+=",${name^^}:$protocol"
        shift
    done
    # A second line for a setting would override the first one, so append to the existing lines.
    sed -i.plain -e "s|^\\(listeners=.*\\)|\\1$listeners|" -e "s|^\\(advertised.listeners=.*\\)|\\1$listeners|" \
        -e "s|^\\(listener.security.protocol.map=.*\\)|\\1$map|" "$dir/$i/server.properties"
    cat >>"$dir/$i/server.properties" <<END
ssl.keystore.type=PEM
ssl.keystore.location=$dir/tls/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location=$dir/tls/ca.pem
ssl.client.auth=none
listener.name.ssl.ssl.client.auth=requested
listener.name.mtls.ssl.client.auth=required
listener.name.expired.ssl.keystore.location=$dir/tls/expired.pem
listener.name.elsewhere.ssl.keystore.location=$dir/tls/elsewhere.pem
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.reauth.connections.max.reauth.ms=3000
listener.name.reauth.sasl.enabled.mechanisms=SCRAM-SHA-256,OAUTHBEARER
END
    for listener in sasl_plaintext sasl_ssl reauth; do
        cat >>"$dir/$i/server.properties" <<END
listener.name.$listener.plain.sasl.jaas.config=$security.plain.PlainLoginModule required \\
  user_alice="alice-secret" user_bob="bob=secret";
listener.name.$listener.scram-sha-256.sasl.jaas.config=$security.scram.ScramLoginModule required;
listener.name.$listener.scram-sha-512.sasl.jaas.config=$security.scram.ScramLoginModule required;
listener.name.$listener.oauthbearer.sasl.jaas.config=$security.oauthbearer.OAuthBearerLoginModule required \\
  unsecuredLoginStringClaim_sub="broker";
listener.name.$listener.oauthbearer.sasl.server.callback.handler.class=\\
  $security.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler
END
    done
}

start_broker() { # DIR I
    local dir=$1 i=$2 options
    [[ -f $dir/$i/server.properties ]] || fail "no broker $i in $dir" 64
    [[ -z $(running_pid "$dir/$i/pid") ]] || fail "broker $i of $dir is already running"
    home=$(cat "$dir/home")
    need_kafka
    mapfile -t options < <(cat "$dir/jvm" && logging_options "$dir/$i")
    # The part of the log from here on belongs to this start.
    if [[ -f $dir/$i/log ]]; then wc -c <"$dir/$i/log"; else echo 0; fi >"$dir/$i/log-start"
    launch "$dir/$i/pid" "$dir/$i/out" "$java" "${options[@]}" -cp "$home/libs/*" \
        kafka.Kafka "$dir/$i/server.properties"
}

await_broker() { # DIR I
    local dir=$1 i=$2 n start
    start=$(cat "$dir/$i/log-start")
    for ((n = 0; n < 1200; n++)); do
        if [[ -f $dir/$i/log ]] && tail -c "+$((start + 1))" "$dir/$i/log" | grep 'Kafka Server started' >/dev/null; then
            return 0
        fi
        if [[ -z $(running_pid "$dir/$i/pid") ]]; then
            tail -n 15 "$dir/$i/out" "$dir/$i/log" >&2 || true
            echo "kafka.sh: broker $i of $dir ended while it started" >&2
            return 1
        fi
        sleep 0.1
    done
    echo "kafka.sh: broker $i did not start in 120 s: see $dir/$i/log" >&2
    return 1
}

broker_numbers() { # DIR
    local file
    for file in "$1"/[0-9]*/server.properties; do
        [[ -f $file ]] && basename "$(dirname "$file")"
    done | sort -n
}

format_and_start() { # DIR BROKERS PORT SECURE [SETTING]...
    local dir=$1 brokers=$2 port=$3 secure=$4 i j ports voters='' bootstrap='' cluster jobs=() names=() users=() line
    shift 4
    [[ -z $secure ]] || read -ra names <<<"$secure_listeners"
    mapfile -t ports < <(free_ports $(((2 + ${#names[@]}) * brokers)))
    ((${#ports[@]} == (2 + ${#names[@]}) * brokers)) || fail "no free ports" 69
    for ((i = 1; i <= brokers; i++)); do
        ((port == 0)) || ports[i - 1]=$((port + i - 1))
        voters+=",$i@127.0.0.1:${ports[brokers + i - 1]}"
        bootstrap+=",127.0.0.1:${ports[i - 1]}"
    done
    # A cluster id is 16 bytes in URL-safe base64. One that begins with a dash would look like an option.
    cluster=T$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | cut -c 2-22)
    for ((i = 1; i <= brokers; i++)); do
        rm -rf "${dir:?}/$i"
        mkdir -p "$dir/$i"
        write_logging "$dir/$i" INFO "$dir/$i/log"
        write_settings "$dir" "$i" "$brokers" "${voters:1}" "${ports[i - 1]}" "${ports[brokers + i - 1]}" "$@"
        if [[ -n $secure ]]; then
            write_secure_settings "$dir" "$i" "${ports[@]:2 * brokers + (i - 1) * ${#names[@]}:${#names[@]}}"
            users=()
            for j in 256 512; do
                users+=(--add-scram "SCRAM-SHA-$j=[name=alice,password=alice-secret]")
                users+=(--add-scram "SCRAM-SHA-$j=[name=bob,password=bob=secret]")
            done
        fi
        "$java" -Xmx200m "${quick_options[@]}" "${archive[@]}" -cp "$home/libs/*" kafka.tools.StorageTool \
            format -t "$cluster" -c "$dir/$i/server.properties" "${users[@]}" >"$dir/$i/format" 2>&1 &
        jobs+=($!)
    done
    for ((i = 1; i <= brokers; i++)); do
        wait "${jobs[i - 1]}" || { cat "$dir/$i/format" >&2; return 1; }
    done
    for ((i = 1; i <= brokers; i++)); do start_broker "$dir" "$i"; done
    for ((i = 1; i <= brokers; i++)); do await_broker "$dir" "$i" || return 1; done
    echo "${bootstrap:1}" >"$dir/bootstrap"
    for ((j = 0; j < ${#names[@]}; j++)); do
        line=''
        for ((i = 0; i < brokers; i++)); do line+=",127.0.0.1:${ports[2 * brokers + i * ${#names[@]} + j]}"; done
        echo "${names[j]} ${line:1}"
    done >"$dir/listeners"
    [[ -n $secure ]] || rm "$dir/listeners"
}

kill_all() { # DIR SIGNAL
    local i pid
    # Signal all of them first: the last of several brokers cannot stop cleanly after the others, its quorum, have
    # ended.
    for i in $(broker_numbers "$1"); do
        pid=$(running_pid "$1/$i/pid")
        [[ -z $pid ]] || kill "-$2" "$pid" 2>/dev/null || true
    done
    for i in $(broker_numbers "$1"); do end_process "$1/$i/pid" "$2"; done
}

up() { # DIR [OPTION]...
    local dir=$1 brokers=1 port=0 owner='' secure='' settings=() attempt
    shift
    while (($#)); do
        if [[ $1 == --secure ]]; then
            secure=1
            shift
            continue
        fi
        (($# >= 2)) || usage
        case $1 in
            --version-home) home=$2 ;;
            --brokers) brokers=$2 ;;
            --port) port=$2 ;;
            --set) [[ $2 == *=* ]] || usage; settings+=("$2") ;;
            --owner) owner=$2 ;;
            *) usage ;;
        esac
        shift 2
    done
    [[ $brokers =~ ^[1-9]$ && $port =~ ^[0-9]+$ ]] || usage
    need_kafka
    [[ ! -e $dir/home ]] || fail "$dir is in use: remove it first (kafka.sh remove $dir)" 73
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    echo "$home" >"$dir/home"
    # Store the options, so that a restarted broker runs as before.
    local heap performance archive
    read -ra heap <<<"${KAFKA_HEAP_OPTS:--Xms400m -Xmx400m}"
    mapfile -t archive < <(archive_options)
    if [[ -n ${KAFKA_JVM_PERFORMANCE_OPTS:-} ]]; then
        read -ra performance <<<"$KAFKA_JVM_PERFORMANCE_OPTS"
    else
        performance=("${quick_options[@]}" "${archive[@]}")
    fi
    if [[ -n $secure ]]; then
        command -v openssl >/dev/null || fail "no openssl to make certificates with: install openssl" 69
        make_certificates "$dir/tls" >"$dir/certificates" 2>&1 || { cat "$dir/certificates" >&2; exit 69; }
    fi
    [[ -z $owner ]] || start_guard "$here/kafka.sh" "$dir" "$owner"
    for attempt in 1 2 3; do
        printf '%s\n' "${heap[@]}" "${performance[@]}" -XX:-UsePerfData >"$dir/jvm"
        if format_and_start "$dir" "$brokers" "$port" "$secure" "${settings[@]}"; then
            cat "$dir/bootstrap"
            return
        fi
        kill_all "$dir" KILL
        # Another process may have taken a port between its choice and its use.
        if ((port > 0 || attempt == 3)) || ! grep -qs 'Address already in use' "$dir"/[0-9]*/log; then break; fi
        echo "kafka.sh: a port is already in use; trying others" >&2
    done
    fail "Kafka did not start: see $dir/1/log" 69
}

tool() { # NAME [ARG]...
    local name=$1 class folder
    shift
    need_kafka
    case $name in
        topics) class=org.apache.kafka.tools.TopicCommand ;;
        configs) class=kafka.admin.ConfigCommand ;;
        consumer-groups) class=org.apache.kafka.tools.consumer.group.ConsumerGroupCommand ;;
        console-consumer) class=org.apache.kafka.tools.consumer.ConsoleConsumer ;;
        console-producer)
            class=org.apache.kafka.tools.ConsoleProducer
            [[ $(kafka_version) != [23].* ]] || class=kafka.tools.ConsoleProducer ;;
        producer-perf) class=org.apache.kafka.tools.ProducerPerformance ;;
        consumer-perf) class=org.apache.kafka.tools.ConsumerPerformance ;;
        api-versions)
            class=org.apache.kafka.tools.BrokerApiVersionsCommand
            [[ $(kafka_version) != [23].* ]] || class=kafka.admin.BrokerApiVersionsCommand ;;
        delete-records) class=org.apache.kafka.tools.DeleteRecordsCommand ;;
        reassign-partitions) class=org.apache.kafka.tools.reassign.ReassignPartitionsCommand ;;
        leader-election) class=org.apache.kafka.tools.LeaderElectionCommand ;;
        transactions) class=org.apache.kafka.tools.TransactionsCommand ;;
        dump-log)
            class=org.apache.kafka.tools.DumpLogSegments
            [[ $(kafka_version) != [23].* ]] || class=kafka.tools.DumpLogSegments ;;
        *) class=$name ;;
    esac
    # The tool's settings stay there, so that exec can replace this process: a signal to this process reaches the tool.
    folder=$here/../.build/kafka-tool
    mkdir -p "$folder"
    local new options
    new=$(mktemp -d "$folder.XXXXXX")
    write_logging "$new" WARN ''
    mv "$new"/* "$folder"
    rmdir "$new"
    mapfile -t options < <(logging_options "$folder"; archive_options)
    exec "$java" -Xmx512m "${quick_options[@]}" -XX:-UsePerfData "${options[@]}" \
        -cp "$home/libs/*" "$class" "$@"
}

(($#)) || usage
command=$1
shift
case $command in
    version) need_kafka; kafka_version; exit ;;
    archive) (($# == 0)) || usage; make_archive; exit ;;
    tool) (($#)) || usage; tool "$@"; exit ;;
esac
(($#)) || usage
if [[ $command == up ]]; then up "$@"; exit; fi
[[ -d $1 ]] || fail "no folder $1" 66
dir=$(cd "$1" && pwd)
case $command:$# in
    down:1) kill_all "$dir" TERM ;;
    abandon:1 | remove:1) kill_all "$dir" KILL; remove_folder "$dir" home ;;
    start:1)
        for i in $(broker_numbers "$dir"); do [[ -n $(running_pid "$dir/$i/pid") ]] || start_broker "$dir" "$i"; done
        for i in $(broker_numbers "$dir"); do await_broker "$dir" "$i" || exit 69; done ;;
    start:2) start_broker "$dir" "$2"; await_broker "$dir" "$2" || exit 69 ;;
    stop:2) end_process "$dir/$2/pid" TERM ;;
    kill:2) end_process "$dir/$2/pid" KILL ;;
    *) usage ;;
esac
