/**
 * Does things without root's rights, in a process that has them.
 *
 * @module
 */
const NOBODY = 65534;

// Once and for all, so that no test has to close it.
const { symbols: { seteuid } } = Deno.dlopen("libc.so.6", {
  seteuid: { parameters: ["u32"], result: "i32" },
});

/** Calls `work` as the user nobody; the whole process is that meanwhile. */
export async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  seteuid(NOBODY);
  try {
    return await work();
  } finally {
    seteuid(0);
  }
}
