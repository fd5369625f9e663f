/**
 * Runs code of a root process without root's privileges.
 *
 * @module
 */
const NOBODY = 65534;

// Opened once, so that no test has to close it.
const { symbols: { seteuid } } = Deno.dlopen("libc.so.6", {
  seteuid: { parameters: ["u32"], result: "i32" },
});

/** Calls `work` as the user nobody; this affects the whole process meanwhile. */
export async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  seteuid(NOBODY);
  try {
    return await work();
  } finally {
    seteuid(0);
  }
}
