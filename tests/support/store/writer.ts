/**
 * A process that is killed while it writes a file.
 *
 * @module
 */

const mod = new URL("../../../src/classes/mtp/mod.ts", import.meta.url);

/** A process that has begun a file, and waits. */
export interface Writer extends AsyncDisposable {
  /** Ends it at once, by SIGKILL. */
  kill(): Promise<void>;
}

/**
 * Starts a process that writes a part of the file `half` into a directory, with
 * `--allow-ffi` alone.
 */
export async function startWriter(path: string): Promise<Writer> {
  const program = `
    import { directoryStore } from ${JSON.stringify(mod.href)};
    const store = directoryStore(${JSON.stringify(path)});
    const file = store.create("half", {});
    await file.write(0, new Uint8Array(100_000));
    console.log("written");
    setInterval(() => file, 1000);
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-ffi", "--no-prompt", "--no-check", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(program));
  await input.close();
  const output = child.stdout.getReader();
  const { value } = await output.read();
  if (value === undefined) throw new Error("The writer has failed");
  const kill = async () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It was killed before.
    }
    await output.cancel();
    await child.status;
  };
  return { kill, [Symbol.asyncDispose]: kill };
}
