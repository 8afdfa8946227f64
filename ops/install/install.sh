#!/bin/sh
# install.sh [DESTDIR]: put units, helpers, groups and example configuration in place.
#
# Changes nothing that runs and needs nothing built: releases are `tradingd-release`'s business.
# Safe to repeat; configuration that is there stays as it is.
set -eu
destination=${1:-}
repository=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
units=$destination/usr/lib/systemd/system
library=$destination/usr/lib/tradingd

put() { install -D -m "$1" "$2" "$3"; } # MODE SOURCE TARGET

for unit in "$repository"/systemd/*.service "$repository"/systemd/*.socket \
    "$repository"/systemd/*.path "$repository"/systemd/*.timer "$repository"/systemd/*.slice; do
    put 644 "$unit" "$units/$(basename "$unit")"
done
# Instance paper brings its simulated broker along.
install -d "$units/tradingd@paper.service.wants"
ln -sfn ../tradingd-simbroker@.service \
    "$units/tradingd@paper.service.wants/tradingd-simbroker@paper.service"

for helper in launch stopped kill job job-wanted; do
    put 755 "$repository/ops/install/$helper" "$library/$helper"
done
for job in "$repository"/ops/install/jobs/*; do
    put 755 "$job" "$library/jobs/$(basename "$job")"
done
# Standard library only; run by the system's own Python, so that it works when a release does not.
put 755 "$repository/tradingd/notify/unit.py" "$library/alert-unit"
for part in "$repository"/ops/release/program/*.py; do
    put 644 "$part" "$library/release/$(basename "$part")"
done
put 755 "$repository/ops/release/tradingd-release" "$destination/usr/sbin/tradingd-release"
put 755 "$repository/ops/install/tradingd" "$destination/usr/bin/tradingd"
put 755 "$repository/ops/install/tradingctl" "$destination/usr/bin/tradingctl"

put 644 "$repository/systemd/sysusers.d/tradingd.conf" "$destination/usr/lib/sysusers.d/tradingd.conf"
put 644 "$repository/systemd/tmpfiles.d/tradingd.conf" "$destination/usr/lib/tmpfiles.d/tradingd.conf"
put 644 "$repository/ops/install/etc/needrestart.conf" "$destination/etc/needrestart/conf.d/tradingd.conf"
for example in "$repository"/systemd/examples/*; do
    put 644 "$example" "$destination/usr/share/doc/tradingd/examples/$(basename "$example")"
done
put 644 "$repository/systemd/README.md" "$destination/usr/share/doc/tradingd/README.md"
[ -e "$destination/etc/tradingd/paper.yaml" ] ||
    put 644 "$repository/ops/install/etc/paper.yaml" "$destination/etc/tradingd/paper.yaml"

install -d "$destination/opt/tradingd/releases" "$destination/opt/tradingd/instances"
[ -n "$destination" ] || {
    systemd-sysusers tradingd.conf
    systemd-tmpfiles --create tradingd.conf
    systemctl daemon-reload
}
