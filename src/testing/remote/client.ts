/**
 * The connection of a test file to the keeper of its run.
 *
 * @module
 */
import { receiveError } from "./error.ts";
import { ownCommandLine, readFlags } from "./flags.ts";
import { KEEPER_URL, type KeeperOptions, SOCKET, startOf } from "./keeper.ts";
import {
  readMessages,
  type Reply,
  type TestCall,
  writeMessage,
} from "./messages.ts";

/** Milliseconds for the keeper's process to start. */
const START_MS = 60_000;
const POLL_MS = 20;

/** Runs tests of this file in VMs. */
export class RemoteTests {
  #connection: Promise<Deno.UnixConn> | undefined;
  #replies: AsyncGenerator<Reply> | undefined;

  /**
   * Runs a test; its output becomes this one's.
   *
   * @throws What the test has thrown.
   */
  async run(kernel: string, call: TestCall): Promise<void> {
    this.#connection ??= this.#open();
    const connection = await this.#connection;
    await writeMessage(connection, { type: "run", kernel, call });
    for await (const reply of this.#read()) {
      if (reply.type === "note") console.error(reply.text.trimEnd());
      if (reply.type === "output") print(reply.text);
      if (reply.type !== "result") continue;
      if (reply.error !== undefined) throw receiveError(reply.error);
      return;
    }
    throw new Error(
      `Cannot run the test in a VM: the process that keeps it has ended: ${
        lastWords(keeperFolder())
      }`,
    );
  }

  /** The last test is over: what has loaded this file in a VM ends. */
  async close(): Promise<void> {
    if (this.#connection === undefined) return;
    // A test has reported it if there is none.
    const connection = await this.#connection.catch(() => undefined);
    if (connection === undefined) return;
    await writeMessage(connection, { type: "close" });
    for await (const reply of this.#read()) {
      if (reply.type === "closed") break;
    }
    connection.close();
  }

  async *#read(): AsyncGenerator<Reply> {
    while (this.#replies !== undefined) {
      const { done, value } = await this.#replies.next();
      if (done) return;
      yield value;
    }
  }

  async #open(): Promise<Deno.UnixConn> {
    const { resolution, test, coverage } = readFlags(ownCommandLine());
    const flags = [...resolution, ...test];
    const folder = keeperFolder();
    const shared = coverage && await coverageFolder(coverage);
    const options = { folder, pid: Deno.pid, coverage: shared };
    const connection = await connect(options, resolution);
    this.#replies = readMessages<Reply>(connection.readable);
    const file = {
      url: Deno.mainModule,
      flags: shared
        ? [
          ...flags,
          `--coverage=${shared}/vm-${crypto.randomUUID()}`,
          "--coverage-raw-data-only",
        ]
        : flags,
      args: Deno.args,
    };
    await writeMessage(connection, { type: "open", file });
    return connection;
  }
}

/** One folder for each run. */
function keeperFolder(): string {
  const base = Deno.env.get("XDG_RUNTIME_DIR") ?? "/tmp";
  return `${base}/usb-gadget-test-${Deno.pid}-${startOf(Deno.pid)}`;
}

async function coverageFolder(path: string): Promise<string> {
  await Deno.mkdir(path, { recursive: true });
  return await Deno.realPath(path);
}

/** Connects to the keeper of this run, and starts it if there is none yet. */
async function connect(
  options: KeeperOptions,
  flags: readonly string[],
): Promise<Deno.UnixConn> {
  const { folder } = options;
  const path = `${folder}/${SOCKET}`;
  if (await makeFolder(folder)) await startKeeper(options, flags);
  const end = performance.now() + START_MS;
  for (;;) {
    try {
      return await Deno.connect({ transport: "unix", path });
    } catch (cause) {
      const isEarly = cause instanceof Deno.errors.NotFound &&
        isStarting(folder) && performance.now() < end;
      if (isEarly) {
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
        continue;
      }
      throw new Error(
        `Cannot start the process that keeps VMs: ${lastWords(folder)}`,
        { cause },
      );
    }
  }
}

/** Returns false if another file of this run has made it. */
async function makeFolder(path: string): Promise<boolean> {
  try {
    await Deno.mkdir(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    const { uid } = await Deno.stat(path);
    if (uid === Deno.uid()) return false;
    throw new Error(`Cannot use "${path}": it belongs to another user`);
  }
}

/** Starts it so that it survives the isolate of this file. */
async function startKeeper(
  options: KeeperOptions,
  flags: readonly string[],
): Promise<void> {
  await new Deno.Command("sh", {
    args: [
      "-c",
      'setsid "$@" </dev/null >"$0/log" 2>&1 & echo $! >"$0/pid"',
      options.folder,
      Deno.execPath(),
      "run",
      "--allow-all",
      "--no-check",
      "--no-lock",
      ...flags,
      KEEPER_URL,
      JSON.stringify(options),
    ],
  }).output();
}

/** Whether its process may yet come so far. */
function isStarting(folder: string): boolean {
  const pid = textOf(`${folder}/pid`)?.trim();
  // Without the file, it has not even been started.
  return !pid || textOf(`/proc/${pid}/stat`) !== undefined;
}

function lastWords(folder: string): string {
  const log = textOf(`${folder}/log`);
  return log === undefined
    ? "it has left no log"
    : log.trim() || "it said nothing";
}

function textOf(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}

/** Writes text as it is to the output of the test. */
function print(text: string): void {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
}
