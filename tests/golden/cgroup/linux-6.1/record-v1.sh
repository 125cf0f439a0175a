#!/bin/sh
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmp /tmp
mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup; C=/sys/fs/cgroup; mkdir $C/memory $C/cpu,cpuacct $C/unified
mount -t cgroup -o cpu,cpuacct cgroup $C/cpu,cpuacct; mount -t cgroup -o memory cgroup $C/memory; mount -t cgroup2 cgroup2 $C/unified
M=$C/memory
show() { echo "@@@ $1"; cat "$2" 2>&1; }
echo 1 > $M/memory.use_hierarchy
mkdir $M/docker; mkdir $M/docker/0a1b; echo 268435456 > $M/docker/memory.limit_in_bytes; echo 201326592 > $M/docker/0a1b/memory.limit_in_bytes
mkdir $M/docker/0a1b/worker
sh -c 'echo 0 > /sys/fs/cgroup/memory/docker/0a1b/worker/cgroup.procs; dd if=/dev/zero of=/tmp/file bs=1M count=10 2>/dev/null; exec dd if=/dev/zero bs=100M count=3 2>/dev/null | sleep 60' &
sleep 3
P=$(head -1 $M/docker/0a1b/worker/cgroup.procs)
show calm/proc.cgroup /proc/$P/cgroup
show calm/proc.mountinfo /proc/$P/mountinfo
for g in . docker docker/0a1b docker/0a1b/worker; do for f in memory.limit_in_bytes memory.soft_limit_in_bytes memory.usage_in_bytes memory.stat memory.oom_control memory.failcnt memory.use_hierarchy memory.memsw.limit_in_bytes; do show calm/$g/$f $M/$g/$f; done; done
show calm/unified/memory.pressure $C/unified/memory.pressure
# as docker mounts it: the group bound over the mount point
/usr/bin/unshare -m sh -c 'mount --bind /sys/fs/cgroup/memory/docker/0a1b /sys/fs/cgroup/memory; echo 0 > /sys/fs/cgroup/memory/worker/cgroup.procs; echo "@@@ bound/proc.cgroup"; cat /proc/self/cgroup; echo "@@@ bound/proc.mountinfo"; cat /proc/self/mountinfo'
sh -c 'echo 0 > /sys/fs/cgroup/memory/docker/0a1b/cgroup.procs; exec tail /dev/zero' ; show killed/memory.oom_control $M/docker/0a1b/memory.oom_control; show killed/memory.failcnt $M/docker/0a1b/memory.failcnt
show killed/memory.stat $M/docker/0a1b/memory.stat
echo "@@@ end"
poweroff -f
