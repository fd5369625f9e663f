#!/bin/sh
# The first process of the guest. It runs twice: once in the initial file
# system, to put the host's files below a writable layer, and once on top of
# them, to run the command. Everything it needs to know lies in /gadget-vm:
#
#   transport   modules that reach the host's files, in load order
#   gadget      modules for gadgets, in load order
#   settings    shell variables, see guest.ts
#   mounts      lines of "KIND WHERE WHAT", see guest.ts
#   command     a shell script that becomes the command, see guest.ts
#
# The host listens on five virtio-serial ports: standard output, standard
# error, the kernel log, control, and standard input. The end of a stream is
# marked by a secret that the host chose, because a port has no end of file.

export PATH=/gadget-vm/bin:/run/gadget-vm/bin:/usr/sbin:/usr/bin:/sbin:/bin

# Ends the VM with a reason on the console, which the host shows.
die() {
  echo "gadget-vm: $1" >/dev/console
  sleep 1
  poweroff -f
}

# Loads the modules of a list.
load() {
  while read -r module; do
    parameters=
    [ "$module" = dummy_hcd ] && parameters=$HCD
    # shellcheck disable=SC2086 # parameters are several words
    insmod "/gadget-vm/modules/$module" $parameters ||
      die "cannot load module \"$module\""
  done
}

# Makes a writable view of a folder of the host.
layer() {
  layers=$((layers + 1))
  mkdir -p "$2" "/gadget-vm/rw/$layers/upper" "/gadget-vm/rw/$layers/work"
  mount -t overlay -o "lowerdir=$1,upperdir=/gadget-vm/rw/$layers/upper,workdir=/gadget-vm/rw/$layers/work" overlay "$2" ||
    die "cannot mount \"$1\" on \"$2\""
}

first_stage() {
  mkdir -p /proc /sys /dev /gadget-vm/host /gadget-vm/rw /root
  /gadget-vm/bin/mount -t proc proc /proc
  mount -t sysfs sysfs /sys
  mount -t devtmpfs devtmpfs /dev
  . /gadget-vm/settings
  load </gadget-vm/transport
  [ "$HCD" = none ] || load </gadget-vm/gadget &

  transport="trans=virtio,version=9p2000.L,msize=512000"
  mount -t 9p -o "$transport,cache=loose,ro" host /gadget-vm/host ||
    die "cannot mount the host's files"
  mount -t tmpfs -o mode=755 tmpfs /gadget-vm/rw
  layers=0
  # ROOT is empty, or the files of a guest that cannot use the host's programs.
  layer "/gadget-vm/host$ROOT" /root

  while IFS=' ' read -r kind where what; do
    # Paths are octal-escaped, as in /proc/mounts.
    where=$(printf '%b' "$where")
    what=$(printf '%b' "$what")
    case $kind in
      tmpfs) mkdir -p "/root$where" && mount -t tmpfs -o "$what" tmpfs "/root$where" ;;
      layer) layer "/gadget-vm/host$what" "/root$where" ;;
      share) mkdir -p "/root$where" && mount -t 9p -o "$transport,cache=none" "$what" "/root$where" ;;
    esac || die "cannot mount \"$where\""
  done </gadget-vm/mounts

  mkdir -p /root/run/gadget-vm /root/proc /root/sys /root/dev
  cp -a /gadget-vm/bin /gadget-vm/init.sh /gadget-vm/settings /gadget-vm/command /root/run/gadget-vm/
  wait
  mount --move /proc /root/proc
  mount --move /sys /root/sys
  mount --move /dev /root/dev
  exec switch_root /root /run/gadget-vm/bin/sh /run/gadget-vm/init.sh second_stage
}

# Reports what hangs, and ends a session of processes, when the host asks.
# Powers off when the host is gone.
watch_host() {
  gone=0
  while [ $gone -lt 3 ]; do
    if read -r request argument; then
      case $request in
        report) report "$argument" >/dev/kmsg 2>&1 ;;
        kill) kill -KILL "-$argument" 2>/dev/null ;;
      esac
      gone=0
    else
      gone=$((gone + 1))
      sleep 1
    fi
  done
  poweroff -f
}

report() {
  for process in /proc/[0-9]*; do
    # What came before the command, or is this, is not what hangs.
    [ "${process#/proc/}" -ge $command ] || continue
    arguments=$(tr '\0' ' ' <"$process/cmdline")
    case $arguments in "" | */gadget-vm/init.sh*) continue ;; esac
    # A thread that computes does not wait anywhere.
    place="in $(cat "$process/wchan")"
    grep -qs '^State:.R' "$process"/task/*/status && place=running
    printf '<6>gadget-vm: process %s %s: %.200s\n' "${process#/proc/}" "$place" "$arguments"
  done
  echo w >/proc/sysrq-trigger
  echo "<6>gadget-vm: end $1"
}

second_stage() {
  cd /run/gadget-vm || die "cannot use /run"
  . ./settings
  set -- /dev/vport*p1
  port=${1%1}
  exec 3>"${port}1" 4>"${port}2" 5>"${port}3" 6<>"${port}4" ||
    die "cannot open the ports to the host"
  cat /dev/kmsg >&5 &
  # A serial port is slow, and what is less than a warning reaches kmsg anyway.
  echo "$CONSOLE_LEVEL" >/proc/sys/kernel/printk

  mkdir -p /dev/pts /dev/shm /run/lock
  mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
  mount -t tmpfs -o mode=1777 tmpfs /dev/shm
  [ "$HCD" = none ] || mount -t configfs configfs /sys/kernel/config
  mount -t debugfs debugfs /sys/kernel/debug
  mount -t tracefs tracefs /sys/kernel/tracing
  ln -sf /proc/self/fd /dev/fd
  ln -sf /proc/self/fd/0 /dev/stdin
  ln -sf /proc/self/fd/1 /dev/stdout
  ln -sf /proc/self/fd/2 /dev/stderr
  hostname gadget-vm
  ifconfig lo 127.0.0.1 up
  # A task that does not move for this long is reported in the kernel log.
  echo 60 >/proc/sys/kernel/hung_task_timeout_secs

  for module in $MODULES; do
    modprobe "$module" || die "cannot load module \"$module\""
  done

  # In emulation the other processors wait until here, see architectures.ts.
  for processor in /sys/devices/system/cpu/cpu*/online; do
    [ "$(cat "$processor")" = 1 ] || echo 1 >"$processor"
  done

  mkfifo output errors
  cat <output >&3 &
  output=$!
  cat <errors >&4 &
  errors=$!
  echo ready >&6
  input=/dev/null
  [ -z "$INPUT" ] || input=${port}5
  setsid sh ./command <"$input" >output 2>errors 3>&- 4>&- 5>&- 6>&- &
  command=$!
  watch_host <&6 &
  wait $command
  code=$?

  # A process that the command left behind may hold its output open.
  { sleep 2; kill $output $errors; } 2>/dev/null &
  wait $output
  wait $errors
  sync
  printf %s "$MARKER" >&3
  printf %s "$MARKER" >&4
  echo "<6>gadget-vm: end $MARKER" >/dev/kmsg
  echo "exit $code" >&6
  # The host ends the VM when it has read everything.
  while :; do sleep 60; done
}

# The kernel hands on parameters that it does not know.
case $1 in
  second_stage) second_stage ;;
  *) first_stage ;;
esac
