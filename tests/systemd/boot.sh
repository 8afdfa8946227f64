#!/usr/bin/env bash
# boot.sh SETTINGS: become a real systemd as PID 1 of namespaces that `unshare` just made.
#
# The root is an overlay: the host's / below, a throw-away layer above. Nothing here is seen by the
# host: mounts are private, /dev and /run are new, /sys and the kernel's knobs are read-only (or
# systemd would write the host's), and the old root is gone before systemd starts.
set -euo pipefail
. "$1/settings" # LAYER (folder with upper/ and work/), ROOT, NAME, HYBRID, BINDS=(SOURCE:TARGET...)

mount --make-rprivate /
if [ -n "$LAYER" ]; then
    mount --bind "$LAYER" "$1/layer"
else
    mount -t tmpfs -o mode=755,size=8g layer "$1/layer"
fi
upper=$1/layer/upper
mkdir -p "$upper" "$1/layer/work"

if [ ! -e "$upper/.booted" ]; then # a first boot: none of the host's enabled units, an own identity
    cp -a "$1/tree/." "$upper/"
    chmod 755 "$upper" # it is / now, whatever the folder of the tree was
    mkdir -p "$upper"/etc/systemd/{system,journald.conf.d,system.conf.d} "$upper"/var/log/journal
    setfattr -n trusted.overlay.opaque -v y "$upper/etc/systemd/system" 2>/dev/null ||
        python3 -c 'import os, sys; os.setxattr(sys.argv[1], "trusted.overlay.opaque", b"y")' \
            "$upper/etc/systemd/system"
    for unit in systemd-{timesyncd,networkd,resolved,udevd,udev-trigger,logind,binfmt,pstore,firstboot,remount-fs}.service \
        systemd-udevd-{kernel,control}.socket getty.target console-getty.service e2scrub_reap.service \
        proc-sys-fs-binfmt_misc.automount dev-{hugepages,mqueue}.mount sys-kernel-{debug,tracing,config}.mount \
        sys-fs-fuse-connections.mount apt-daily.timer apt-daily-upgrade.timer man-db.timer; do
        ln -sf /dev/null "$upper/etc/systemd/system/$unit"
    done
    printf '[Journal]\nStorage=persistent\nSystemMaxUse=64M\nRateLimitIntervalSec=0\nAudit=no\n' \
        >"$upper/etc/systemd/journald.conf.d/sandbox.conf"
    printf '[Manager]\nDefaultTimeoutStopSec=15s\nShowStatus=no\n' \
        >"$upper/etc/systemd/system.conf.d/sandbox.conf"
    tr -d - </proc/sys/kernel/random/uuid >"$upper/etc/machine-id"
    : >"$upper/etc/fstab"
    echo "$NAME" >"$upper/etc/hostname"
    touch "$upper/.booted"
fi
mount -t overlay sandbox -o "lowerdir=/,upperdir=$upper,workdir=$1/layer/work" "$1/root"
hostname "$NAME"
cd "$1/root"

mount -t proc -o nosuid,noexec,nodev proc proc
for knob in proc/sys proc/sysrq-trigger proc/irq proc/bus; do
    [ -e "$knob" ] || continue
    mount --bind "$knob" "$knob"
    mount -o remount,bind,ro,nosuid,nodev,noexec "$knob"
done
mount -t sysfs -o nosuid,noexec,nodev,ro sysfs sys
mount -t tmpfs -o mode=755,nosuid tmpfs dev
for node in null zero full random urandom tty; do
    : >"dev/$node"
    mount --bind "/dev/$node" "dev/$node"
done
mkdir dev/pts dev/shm dev/mqueue
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs dev/shm
mount -t mqueue mqueue dev/mqueue
mount -t tmpfs -o mode=755,nosuid,nodev,size=512m tmpfs run
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs tmp
if [ -n "$HYBRID" ]; then # the host's controllers are on cgroup v1: limits are enforced there
    mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
    for controller in $(awk '!/^#/ && $2 != 0 {print $1}' /proc/cgroups); do
        mkdir -p "sys/fs/cgroup/$controller"
        mount -t cgroup -o "$controller" cgroup "sys/fs/cgroup/$controller" ||
            rmdir "sys/fs/cgroup/$controller"
    done
    mkdir sys/fs/cgroup/unified sys/fs/cgroup/systemd
    mount -t cgroup2 cgroup2 sys/fs/cgroup/unified
    mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
else
    mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup
fi
for bind in "${BINDS[@]}"; do
    target=$1/root${bind#*:}
    mkdir -p "$target"
    mount --bind "${bind%%:*}" "$target"
    mount -o remount,bind,ro "$target"
done

mkdir -p .oldroot
pivot_root . .oldroot
cd /
umount -l /.oldroot
rmdir /.oldroot
mount --make-rshared /
ip link set lo up 2>/dev/null || python3 - <<'PY'
import fcntl, socket, struct
one = socket.socket()
flags = struct.unpack("16sh", fcntl.ioctl(one, 0x8913, struct.pack("16sh", b"lo", 0)))[1]
fcntl.ioctl(one, 0x8914, struct.pack("16sh", b"lo", flags | 1))
PY
exec /usr/bin/env -i container=tradingd-sandbox LANG=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=multi-user.target
