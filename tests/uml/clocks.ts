/**
 * Prints by how many nanoseconds the clocks that a program reads without a system
 * call differ from the kernel's, one line each. Runs in User Mode Linux.
 *
 * @module
 */

/** CLOCK_REALTIME and CLOCK_MONOTONIC. */
const CLOCKS = [0, 1];
const SYS_CLOCK_GETTIME = 228n;

const { symbols: { clock_gettime, syscall } } = Deno.dlopen("libc.so.6", {
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  syscall: {
    parameters: ["i64", "i64", "buffer"],
    result: "i64",
  },
});

function nanoseconds(read: (time: BigInt64Array<ArrayBuffer>) => unknown) {
  const time = new BigInt64Array(2);
  read(time);
  return time[0] * 1_000_000_000n + time[1];
}

for (const clock of CLOCKS) {
  const before = nanoseconds((time) => clock_gettime(clock, time));
  const kernel = nanoseconds((time) =>
    syscall(SYS_CLOCK_GETTIME, BigInt(clock), time)
  );
  const after = nanoseconds((time) => clock_gettime(clock, time));
  console.log(`${kernel - before} ${after - kernel}`);
}
