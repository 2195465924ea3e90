# shellcheck shell=bash
# Shared functions: background processes identified by pid files, free ports, and a guard that ends them together with
# the process for which they were started. Sourced, not run.

fail() { # MESSAGE [STATUS]
    echo "${0##*/}: $1" >&2
    exit "${2:-1}"
}

# Prints the start time of process PID, for comparison; nothing if it does not run or is a zombie.
start_time() { # PID
    local stat fields
    if [[ -d /proc/self ]]; then
        stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
        read -ra fields <<<"${stat##*) }"
        [[ ${fields[0]} == Z || ${fields[0]} == X ]] || echo "${fields[19]}"
    else
        ps -o lstart= -p "$1" 2>/dev/null || true
    fi
}

# Prints the process of a pid file; nothing if it has ended. The file contains the start time beside the id, so that a
# later process with the same id is not mistaken for it.
running_pid() { # PIDFILE
    local pid started
    [[ -f $1 ]] || return 0
    read -r pid started <"$1" || return 0
    [[ -n $pid && -n $started && $(start_time "$pid") == "$started" ]] && echo "$pid"
    return 0
}

# Closes all descriptors except the standard ones. Otherwise the daemon could hold open a pipe, or the socket that
# Foundation's Process passes to its programs, at whose end the starter's caller waits.
close_descriptors() {
    local fd
    for fd in /proc/self/fd/* /dev/fd/*; do
        fd=${fd##*/}
        [[ $fd =~ ^[0-9]+$ ]] && ((fd > 2 && fd != 255)) && eval "exec $fd>&-"
    done
    return 0
}

# Starts a daemon in its own session, so that Ctrl-C in the terminal does not reach it. It writes its pid file before it
# becomes COMMAND: if the folder has been removed by then, nothing starts.
launch() { # PIDFILE LOG COMMAND [ARG]...
    local pidfile=$1 log=$2 session=()
    shift 2
    command -v setsid >/dev/null && session=(setsid)
    rm -f "$pidfile"
    (
        close_descriptors
        # shellcheck disable=SC2016  # expanded by the shell that is started
        exec "${session[@]}" bash -c '
            set -e
            source "$0"
            echo "$$ $(start_time "$$")" >"$1"
            shift
            exec "$@"' "${BASH_SOURCE[0]}" "$pidfile" "$@"
    ) </dev/null >>"$log" 2>&1 &
    disown
    local n
    for ((n = 0; n < 100; n++)); do
        [[ -s $pidfile ]] && return 0
        sleep 0.05
    done
    fail "cannot start $1: see $log"
}

# Signals the process of a pid file and waits until it has ended; kills it after 30 s.
end_process() { # PIDFILE SIGNAL
    local pid n
    pid=$(running_pid "$1")
    if [[ -n $pid ]]; then
        kill "-$2" "$pid" 2>/dev/null || true
        for ((n = 0; n < 600; n++)); do
            [[ -n $(running_pid "$1") ]] || break
            sleep 0.05
        done
        [[ -z $(running_pid "$1") ]] || kill -KILL "$pid" 2>/dev/null || true
    fi
    rm -f "$1"
}

# Prints N free ports of 127.0.0.1, one per line. They are below the kernel's range for outgoing connections. From that
# range, a client could take a port while its server is down, or a client that keeps trying to reach the server could be
# connected to itself.
free_ports() { # N
    perl -MSocket -e '
        my $top = 32768;
        if (open(my $range, "<", "/proc/sys/net/ipv4/ip_local_port_range")) { ($top) = split " ", <$range>; }
        $top = 32768 if $top < 12000;
        my @held;
        for (my $try = 0; @held < $ARGV[0] && $try < 1000; $try++) {
            my $port = 10000 + int(rand($top - 10000));
            socket(my $socket, PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
            if (bind($socket, sockaddr_in($port, INADDR_LOOPBACK)) && listen($socket, 1)) {
                push @held, $socket;
                print "$port\n";
            }
        }
        die "no free port\n" if @held < $ARGV[0];' "$1"
}

# Watches OWNER. When it has ended for any reason, runs `SCRIPT abandon DIR`. Ends by itself if DIR is removed.
start_guard() { # SCRIPT DIR OWNER
    local started
    started=$(start_time "$3")
    [[ -n $started ]] || fail "--owner $3: no such process"
    # shellcheck disable=SC2016  # expanded by the shell that is started
    launch "$2/guard.pid" /dev/null bash -c '
        source "$0"
        while [[ -f $2/guard.pid ]]; do
            [[ $(start_time "$3") == "$4" ]] || exec bash "$1" abandon "$2"
            sleep 0.5
        done' "${BASH_SOURCE[0]}" "$1" "$2" "$3" "$started"
}

# Removes a folder that a script's `up` created. The file MARK shows that it did.
remove_folder() { # DIR MARK
    [[ -f $1/$2 ]] || return 0
    rm -rf -- "$1"
}
