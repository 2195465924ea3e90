# shellcheck shell=bash disable=SC2154
# Tests the systemd unit: the Debian with the package boots in a systemd-nspawn container, whose systemd starts, watches
# and stops the service. Sourced by package-test.sh, which assigns the variables used here.

# Runs in the container, and stores each fact as a file below /root/facts. There are two instances: one that works, and
# one whose configuration cannot be repaired by a restart.
unit_script() {
    cat <<'END'
#!/bin/bash
mkdir /root/facts
cd /root/facts || exit
good=tfi-consumer@plant.service bad=tfi-consumer@wrong.service
systemctl start --no-block "$bad"
systemctl start "$good" && touch started
sleep 3
systemctl show -p NRestarts,ExecMainStatus "$bad" >bad
process=$(systemctl show -p MainPID --value "$good")
grep -E '^(Uid|NoNewPrivs|Seccomp|CapBnd):' "/proc/$process/status" >rights
# A process that hangs.
kill -STOP "$process"
for ((n = 0; n < 60; n++)); do
    [[ $(systemctl show -p NRestarts --value "$good") == 0 ]] || break
    sleep 0.5
done
for ((n = 0; n < 20; n++)); do
    systemctl is-active --quiet "$good" && break
    sleep 0.5
done
systemctl show -p NRestarts,ActiveState "$good" >watched
systemctl stop "$good"
systemctl show -p Result,ExecMainStatus,ActiveState "$good" >stopped
# The package's removal stops what runs.
systemctl start "$good"
DEBIAN_FRONTEND=noninteractive apt-get purge -y -qq tfi-consumer >purge 2>&1 && touch purged
systemctl is-active "$good" >after-purge
journalctl --no-pager -o cat -u 'tfi-consumer@*' >journal
touch complete
systemctl poweroff
END
}

prepare_unit() {
    local settings=$system/etc/tfi-consumer units=$system/etc/systemd/system
    # Allow services to start in the container.
    rm "$system/usr/sbin/policy-rc.d"
    DEBIAN_FRONTEND=noninteractive timeout 600 chroot "$system" apt-get install -y -qq --no-install-recommends \
        systemd systemd-sysv >>"$folder/apt.log" 2>&1 || wrong "systemd can't be installed"
    unmount_all
    printf '%s\n' "TFI_BOOTSTRAP_SERVERS=127.0.0.1:$broker_port" "TFI_DATABASE=$database" \
        "TFI_HTTP=127.0.0.1:$http_port" >"$settings/plant.env"
    cp "$settings/plant.env" "$settings/wrong.env"
    printf '%s\n' TFI_HTTP=127.0.0.1:0 TFI_PROPERTY=no.such.property=1 >>"$settings/wrong.env"
    # The default of a minute would make the test long.
    mkdir "$units/tfi-consumer@plant.service.d"
    printf '[Service]\nWatchdogSec=4\n' >"$units/tfi-consumer@plant.service.d/test.conf"
    unit_script >"$system/root/unit.sh"
    chmod 755 "$system/root/unit.sh"
    printf '[Unit]\nAfter=basic.target\n[Service]\nExecStart=/root/unit.sh\n' >"$units/unit-test.service"
    mkdir -p "$units/multi-user.target.wants"
    ln -s ../unit-test.service "$units/multi-user.target.wants/unit-test.service"
}

has_fact() { # FILE PATTERN
    grep -qE -- "$2" "$system/root/facts/$1"
}

run_unit() {
    local facts=$system/root/facts
    step 'the unit, and apt-get purge'
    prepare_unit
    # The container uses the machine's network, for Postgres and the broker.
    timeout --kill-after 10 180 systemd-nspawn --directory "$system" --boot --keep-unit --register=no --console=pipe \
        --link-journal=no </dev/null >"$folder/boot.log" 2>&1 || true
    if [[ ! -d $facts ]]; then
        [[ -z ${CI:-} ]] || wrong "the container does not boot"
        echo "left out: the unit, since systemd-nspawn cannot boot a container here"
        DEBIAN_FRONTEND=noninteractive chroot "$system" apt-get purge -y -qq tfi-consumer >>"$folder/apt.log" 2>&1 ||
            wrong "the package can't be removed"
        rm -rf "$system/etc/tfi-consumer" "$system"/etc/systemd/system/tfi-consumer*
        return
    fi
    cp "$facts/journal" "$folder/journal.log" 2>/dev/null || true
    [[ -e $facts/complete ]] || wrong "the unit's test did not end"
    [[ -e $facts/started ]] || wrong "systemd can't start the unit"
    if ! has_fact bad NRestarts=0 || ! has_fact bad ExecMainStatus=64; then
        wrong "the instance with a wrong configuration: $(cat "$facts/bad")"
    fi
    if has_fact rights '^Uid:.0' || ! has_fact rights '^NoNewPrivs:.1' || ! has_fact rights '^Seccomp:.2' ||
        ! has_fact rights '^CapBnd:.0+$'; then
        wrong "the service has more rights than it should: $(cat "$facts/rights")"
    fi
    if ! has_fact watched NRestarts=1 || ! has_fact watched ActiveState=active; then
        wrong "the watchdog does not restart a process that hangs: $(cat "$facts/watched")"
    fi
    if ! has_fact stopped Result=success || ! has_fact stopped ExecMainStatus=0; then
        wrong "the service does not end well: $(cat "$facts/stopped")"
    fi
    # EPERM comes from the system call filter; errno 13 only means that the container cannot grant LimitNICE.
    ! has_fact journal 'errno=1$|Operation not permitted' || wrong "the unit forbids what the program needs"
    [[ -e $facts/purged ]] || wrong "cannot remove the package: $(tail -n 1 "$facts/purge")"
    has_fact after-purge inactive || wrong "the service runs after the removal of its package"
    # Remove the files that the test added.
    rm -r "$system/etc/tfi-consumer/wrong.env" "$system/etc/systemd/system/tfi-consumer@plant.service.d"
    rmdir "$system/etc/tfi-consumer" 2>/dev/null || true
    echo "systemd started, watched and stopped the service; its removal left nothing behind"
}
