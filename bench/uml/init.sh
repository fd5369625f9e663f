#!/bin/sh
# The first process in User Mode Linux. Its root is this machine's, read-only.
# It runs twice, as src/vm/guest/init.sh does: to put a writable layer over this
# machine's files, and on top of them, to run the command. $RUN, a variable of
# the kernel's command line, is a folder of this machine, with:
#
#   mounts    lines of "KIND WHERE WHAT", see src/vm/guest/guest.ts
#   command   a shell script that becomes the command
#   log       receives the kernel's log
#   code      receives the command's exit code

export PATH=/usr/sbin:/usr/bin:/sbin:/bin

# The kernel ends with its first process.
die() {
  echo "gadget-uml: $1"
  exit 1
}

# Makes a writable view of a folder of the host.
layer() {
  layers=$((layers + 1))
  mkdir -p "$2" "/tmp/rw/$layers/upper" "/tmp/rw/$layers/work"
  mount -t overlay -o "lowerdir=$1,upperdir=/tmp/rw/$layers/upper,workdir=/tmp/rw/$layers/work" overlay "$2" ||
    die "cannot mount \"$1\" on \"$2\""
}

first_stage() {
  # A folder that each machine has. What is below it is still found in /tmp/host.
  mount -t tmpfs -o mode=755 tmpfs /tmp || die "cannot mount a tmpfs"
  mkdir /tmp/host /tmp/root
  mount --bind / /tmp/host
  layers=0
  layer /tmp/host /tmp/root
  mount -t proc proc /tmp/root/proc
  mount -t sysfs sysfs /tmp/root/sys
  mount -t devtmpfs devtmpfs /tmp/root/dev

  while IFS=' ' read -r kind where what; do
    # Paths are octal-escaped, as in /proc/mounts.
    where=$(printf '%b' "$where")
    what=$(printf '%b' "$what")
    mkdir -p "/tmp/root$where"
    case $kind in
      tmpfs) mount -t tmpfs -o "$what" tmpfs "/tmp/root$where" ;;
      layer) layer "/tmp/host$what" "/tmp/root$where" ;;
      share) mount -t hostfs -o "$where" hostfs "/tmp/root$where" ;;
    esac || die "cannot mount \"$where\""
  done <"/tmp/host$RUN/mounts"

  mkdir -p /tmp/root/run/gadget-uml
  mount -t hostfs -o "$RUN" hostfs /tmp/root/run/gadget-uml ||
    die "cannot mount \"$RUN\""
  exec chroot /tmp/root /bin/sh /run/gadget-uml/init.sh second_stage
}

second_stage() {
  cd /run/gadget-uml || die "cannot use /run"
  mkdir -p /dev/pts /dev/shm /run/lock
  mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
  mount -t tmpfs -o mode=1777 tmpfs /dev/shm
  mount -t configfs configfs /sys/kernel/config
  mount -t debugfs debugfs /sys/kernel/debug
  ln -sf /proc/self/fd /dev/fd
  ln -sf /proc/self/fd/0 /dev/stdin
  ln -sf /proc/self/fd/1 /dev/stdout
  ln -sf /proc/self/fd/2 /dev/stderr
  echo gadget-uml >/proc/sys/kernel/hostname
  # The terminals 1 and 2 are pipes to the host, see machine.ts.
  stty -F /dev/tty1 raw -echo
  stty -F /dev/tty2 raw -echo
  # The command does not see terminals: it would format its output for them.
  mkfifo /run/output /run/errors
  cat </run/output >/dev/tty1 &
  output=$!
  cat </run/errors >/dev/tty2 &
  errors=$!
  setsid sh ./command </dev/null >/run/output 2>/run/errors
  code=$?
  # A process that the command left behind may hold its output open.
  { sleep 2; kill $output $errors; } 2>/dev/null &
  wait $output
  wait $errors
  dmesg >log
  echo $code >code
  # Without an init system, this is how to power off.
  echo o >/proc/sysrq-trigger
  sleep 60
}

# The kernel hands on parameters that it does not know.
case $1 in
  second_stage) second_stage ;;
  *) first_stage ;;
esac
