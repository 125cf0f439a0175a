#!/bin/sh
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmp /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
C=/sys/fs/cgroup
show() { echo "@@@ $1"; cat "$2" 2>&1; }
echo +memory > $C/cgroup.subtree_control
mkdir $C/pod7; echo +memory > $C/pod7/cgroup.subtree_control; mkdir $C/pod7/web $C/pod7/sidecar
echo 268435456 > $C/pod7/memory.max; echo 201326592 > $C/pod7/web/memory.max; echo 167772160 > $C/pod7/web/memory.high
sh -c 'echo 0 > /sys/fs/cgroup/pod7/web/cgroup.procs; dd if=/dev/zero of=/tmp/file bs=1M count=10 2>/dev/null; exec dd if=/dev/zero bs=100M count=3 2>/dev/null | sleep 60' &
sleep 3
P=$(head -1 $C/pod7/web/cgroup.procs)
show web-calm/proc.cgroup /proc/$P/cgroup
show web-calm/proc.mountinfo /proc/$P/mountinfo
for g in pod7 pod7/web; do for f in memory.max memory.high memory.current memory.stat memory.events memory.pressure memory.peak memory.swap.max memory.swap.current; do show web-calm/$g/$f $C/$g/$f; done; done
for f in memory.stat memory.pressure memory.max cgroup.controllers; do show web-calm/$f $C/$f; done
show web-calm/pressure-memory /proc/pressure/memory
# namespace
echo "@@@ namespace/proc.cgroup"
sh -c 'echo 0 > /sys/fs/cgroup/pod7/web/cgroup.procs; exec /usr/bin/unshare -C -m sh -c "cat /proc/self/cgroup; echo @@@ namespace/proc.mountinfo-before; grep cgroup /proc/self/mountinfo; umount /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; echo @@@ namespace/proc.mountinfo; cat /proc/self/mountinfo; echo @@@ namespace/ls; ls /sys/fs/cgroup; echo @@@ namespace/init.cgroup; cat /proc/1/cgroup; for i in 1 2 3; do :; done"'
# pressed
sh -c 'echo 0 > /sys/fs/cgroup/pod7/web/cgroup.procs; exec tail /dev/zero' &
T=$!
sleep 8
show web-throttled/memory.current $C/pod7/web/memory.current
show web-throttled/memory.events $C/pod7/web/memory.events
show web-throttled/memory.pressure $C/pod7/web/memory.pressure
show web-throttled/memory.stat $C/pod7/web/memory.stat
show web-throttled/pressure-memory /proc/pressure/memory
echo max > $C/pod7/web/memory.high
wait $T
show web-killed/memory.events $C/pod7/web/memory.events
show web-killed/memory.pressure $C/pod7/web/memory.pressure
show web-killed/memory.current $C/pod7/web/memory.current
show pressure-off/x /dev/null
echo "@@@ end"
poweroff -f
