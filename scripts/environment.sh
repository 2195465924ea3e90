# shellcheck shell=bash
# Runs Kafka and Postgres in one of three modes: `docker` (docker compose), `local` (KAFKA_HOME and this machine's
# Postgres), or `fake` (an in-memory broker and this machine's Postgres). FOLDER/mode, FOLDER/bootstrap and FOLDER/uri
# contain the mode and the addresses. Sourced by control-env.sh, after daemon.sh and prerequisites.sh.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

has_docker() {
    command -v docker >/dev/null && command -v timeout >/dev/null &&
        timeout 10 docker info >/dev/null 2>&1 && timeout 10 docker compose version >/dev/null 2>&1
}

# Prints the mode that this machine allows. FAKE: whether an in-memory broker is acceptable, `yes` or `no`.
find_mode() { # FAKE
    local home
    home=$(kafka_home)
    if [[ -n ${TFI_ENV_MODE:-} ]]; then
        echo "$TFI_ENV_MODE"
    elif has_docker; then
        echo docker
    elif [[ -d $home/libs ]]; then
        echo local
    elif [[ $1 == yes ]]; then
        echo fake
    else
        fail "no Kafka: install Docker, or set KAFKA_HOME to the folder of a Kafka distribution (it has libs/)" 69
    fi
}

compose() { # FOLDER ARG...
    local folder=$1
    shift
    TFI_KAFKA_PORT=$(cat "$folder/kafka-port") TFI_POSTGRES_PORT=$(cat "$folder/postgres-port") \
        docker compose --project-directory "$root" --project-name "$(cat "$folder/project")" "$@"
}

# Runs Superset with the dashboard in the foreground. The other containers are not affected.
superset_container() { # FOLDER [--port P]
    local folder=$1 port=8088
    shift
    if (($# == 2)) && [[ $1 == --port ]]; then
        port=$2
        shift 2
    fi
    if (($#)) || ! [[ $port =~ ^[1-9][0-9]{0,4}$ ]]; then fail "superset takes only --port and a number" 64; fi
    TFI_SUPERSET_PORT=$port compose "$folder" --profile superset up --build --no-deps superset
}

# Starts everything, or restarts what a folder contains. With OWNER everything ends, and its data is removed, when that
# process has ended (except with Docker, whose containers the caller has to remove).
environment_start() { # FOLDER [FAKE [OWNER]]
    local folder=$1 mode owner=() ports
    [[ -z ${3:-} ]] || owner=(--owner "$3")
    if [[ -f $folder/mode ]]; then
        environment_resume "$folder"
        return
    fi
    mode=$(find_mode "${2:-no}")
    mkdir -p "$folder"
    folder=$(cd "$folder" && pwd)
    case $mode in
        docker)
            ports=("${TFI_KAFKA_PORT:-9092}" "${TFI_POSTGRES_PORT:-5432}")
            [[ -z ${3:-} ]] || mapfile -t ports < <(free_ports 2)
            echo "${ports[0]}" >"$folder/kafka-port"
            echo "${ports[1]}" >"$folder/postgres-port"
            # Two clones, or an environment and a demo, need different projects.
            echo "tfi-$(printf '%s' "$folder" | cksum | cut -d ' ' -f 1)" >"$folder/project"
            echo "$mode" >"$folder/mode"
            compose "$folder" up --detach --wait kafka postgres >&2 || fail "docker compose could not start them" 69
            echo "127.0.0.1:${ports[0]}" >"$folder/bootstrap"
            echo "postgresql://postgres@127.0.0.1:${ports[1]}/workshop" >"$folder/uri"
            return ;;
        local) need_packages postgres java ;;
        fake) need_packages postgres ;;
        *) fail "TFI_ENV_MODE is docker, local or fake, not '$mode'" 64 ;;
    esac
    # Started in parallel: each script waits for its own server.
    "$root/scripts/postgres.sh" up "$folder/postgres" --port "${TFI_POSTGRES_PORT:-0}" "${owner[@]}" \
        >/dev/null & local postgres=$!
    if [[ $mode == local ]]; then
        "$root/scripts/kafka.sh" up "$folder/kafka" --version-home "$(kafka_home)" --port "${TFI_KAFKA_PORT:-0}" \
            "${owner[@]}" >/dev/null || { wait "$postgres"; environment_abort "$folder"; }
        cp "$folder/kafka/bootstrap" "$folder/bootstrap"
    else
        build_programs
        echo "127.0.0.1:${TFI_KAFKA_PORT:-$(free_ports 1)}" >"$folder/bootstrap"
        start_fake "$folder" || { wait "$postgres"; environment_abort "$folder"; }
    fi
    wait "$postgres" || environment_abort "$folder"
    cp "$folder/postgres/uri" "$folder/uri"
    echo "$mode" >"$folder/mode"
}

environment_abort() { # FOLDER
    echo "the last lines of the servers' logs:" >&2
    tail -n 5 "$1"/postgres/log "$1"/kafka/*/log "$1"/fake/log 2>/dev/null >&2 || true
    environment_remove "$1"
    fail "the environment did not start" 69
}

# Starts the in-memory broker. Its topics are lost when it ends.
start_fake() { # FOLDER
    local address n
    address=$(cat "$1/bootstrap")
    mkdir -p "$1/fake"
    launch "$1/fake/pid" "$1/fake/log" "$root/.build/release/tfi-producer" fake-broker --port "${address##*:}"
    for ((n = 0; n < 100; n++)); do
        # shellcheck disable=SC2188  # the connection alone is the test
        if (: <>"/dev/tcp/${address%:*}/${address##*:}") 2>/dev/null; then return 0; fi
        [[ -n $(running_pid "$1/fake/pid") ]] || break
        sleep 0.1
    done
    tail -n 5 "$1/fake/log" >&2
    return 1
}

environment_resume() { # FOLDER
    case $(cat "$1/mode") in
        docker) compose "$1" up --detach --wait kafka postgres >&2 || fail "docker compose could not start them" 69 ;;
        local | fake)
            [[ -n $(running_pid "$1/postgres/pid") ]] || "$root/scripts/postgres.sh" start "$1/postgres"
            if [[ -d $1/kafka ]]; then
                "$root/scripts/kafka.sh" start "$1/kafka"
            elif [[ -z $(running_pid "$1/fake/pid") ]]; then
                build_programs
                start_fake "$1" || fail "the in-memory broker did not start" 69
            fi ;;
    esac
}

environment_stop() { # FOLDER
    [[ -f $1/mode ]] || return 0
    if [[ $(cat "$1/mode") == docker ]]; then
        compose "$1" --profile superset stop >&2
        return
    fi
    [[ ! -d $1/kafka ]] || "$root/scripts/kafka.sh" down "$1/kafka"
    [[ ! -d $1/fake ]] || end_process "$1/fake/pid" TERM
    [[ ! -d $1/postgres ]] || "$root/scripts/postgres.sh" down "$1/postgres"
}

environment_remove() { # FOLDER
    if [[ -f $1/mode && $(cat "$1/mode") == docker ]]; then compose "$1" --profile superset down --volumes --remove-orphans >&2; fi
    [[ ! -d $1/kafka ]] || "$root/scripts/kafka.sh" remove "$1/kafka"
    [[ ! -d $1/fake ]] || { end_process "$1/fake/pid" KILL; rm -rf "${1:?}/fake"; }
    [[ ! -d $1/postgres ]] || "$root/scripts/postgres.sh" remove "$1/postgres"
    rm -rf "${1:?}/superset"
    rm -f "$1"/{mode,bootstrap,uri,project,kafka-port,postgres-port}
    [[ ! -d $1 ]] || rmdir "$1" 2>/dev/null || true
}

# Succeeds if everything runs.
environment_status() { # FOLDER
    local all=0 file name
    [[ -f $1/mode ]] || { echo "no environment: create one with ./control-env.sh start"; return 1; }
    if [[ $(cat "$1/mode") == docker ]]; then
        compose "$1" ps
        [[ $(compose "$1" ps --services --status running | grep -cE '^(kafka|postgres)$') == 2 ]]
        return
    fi
    for file in kafka/1/pid:Kafka fake/pid:"broker in memory" postgres/pid:Postgres; do
        name=${file#*:}
        file=${file%:*}
        [[ -d $1/${file%%/*} ]] || continue
        if [[ -n $(running_pid "$1/$file") ]]; then
            echo "$name runs: $(cat "$1/$([[ $name == Postgres ]] && echo uri || echo bootstrap)")"
        else
            echo "$name is stopped; start it with ./control-env.sh start"
            all=1
        fi
    done
    return "$all"
}

# The demo and the benchmark define all options themselves, so remove those in this shell's environment.
forget_options() {
    local name
    for name in "${!TFI_@}"; do
        case $name in
            TFI_ENV_* | TFI_KAFKA_PORT | TFI_POSTGRES_PORT) ;;
            *) unset "$name" ;;
        esac
    done
}
