/**
 * Counts changes of configfs with the kernel's function tracer.
 *
 * @module
 */
const TRACING = "/sys/kernel/tracing";

/** All ways in which user space changes configfs. */
const CHANGES = [
  "configfs_write_iter",
  "configfs_bin_write_iter",
  "configfs_mkdir",
  "configfs_rmdir",
  "configfs_symlink",
  "configfs_unlink",
];

/** A count that continues until it is disposed. */
export interface CallCount extends Disposable {
  /** The calls so far. */
  count(): number;
}

/** Counts changes of configfs by any process. */
export function countConfigfsChanges(): CallCount {
  const write = (file: string, text: string) =>
    Deno.writeTextFileSync(`${TRACING}/${file}`, text);
  write("set_ftrace_filter", CHANGES.join(" "));
  write("current_tracer", "function");
  write("trace", "");
  return {
    count: () =>
      Deno.readTextFileSync(`${TRACING}/trace`).split("\n")
        .filter((line) => CHANGES.some((it) => line.includes(`: ${it} <-`)))
        .length,
    [Symbol.dispose]() {
      write("current_tracer", "nop");
      write("set_ftrace_filter", "");
    },
  };
}
