/**
 * Keeps the VMs of a test run. Each test file has an isolate of its own in the
 * process of `deno test`, and VMs are to outlive them: so this is a process of
 * its own, which serves all files through a socket and ends with the run.
 *
 * @module
 */
import { VmError } from "../../vm/errors.ts";
import type { Progress } from "../../vm/progress.ts";
import type { SentError } from "./error.ts";
import { plainError } from "./failures.ts";
import {
  readMessages,
  type Reply,
  type Request,
  type TestFile,
  writeMessage,
} from "./messages.ts";
import { TestVm } from "./test_vm.ts";

/** How often it looks whether the run has ended. */
const WATCH_MS = 200;

/** What a keeper is started with. */
export interface KeeperOptions {
  /** A folder for its socket. It removes that at its end. */
  readonly folder: string;
  /** The process of `deno test`. */
  readonly pid: number;
  /** A folder of this machine that tests write to. */
  readonly coverage?: string;
}

/** The program of its process. */
export const KEEPER_URL: string = import.meta.url;

/** The name of the socket in the folder. */
export const SOCKET = "socket";

/** Variables that the VM has values of its own for. */
const OWN_VARIABLES = new Set(
  ("DENO_DIR HOME LOGNAME OLDPWD PATH PWD SHLVL TMPDIR USB_GADGET_TEST USER " +
    "XDG_RUNTIME_DIR _").split(" "),
);

/** Serves the files of a run until it ends. */
class Keeper {
  readonly #vms = new Map<string, TestVm>();
  readonly #options: KeeperOptions;
  /** The files that had their turn: none runs twice before code has changed. */
  readonly #served = new Set<string>();
  /** The end of the turn of the file before. */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Serves one test file. */
  async serve(connection: Deno.Conn): Promise<void> {
    const client = new Client(connection);
    let file: TestFile | undefined;
    let endTurn: (() => void) | undefined;
    try {
      for await (const request of readMessages<Request>(connection.readable)) {
        if (request.type === "open") file = request.file;
        if (request.type === "run" && file !== undefined) {
          endTurn ??= await this.#takeTurn(file);
          const run = { file, ...request };
          await client.send({
            type: "result",
            ...await this.#run(run, client),
          });
        }
        if (request.type === "close") {
          await this.#each((vm) => vm.endAgent());
          await client.send({ type: "closed" });
        }
      }
    } catch (error) {
      // A run that was interrupted leaves in the middle of a message.
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    } finally {
      if (endTurn !== undefined) await this.#each((vm) => vm.abandonAgent());
      endTurn?.();
    }
  }

  /** Ends all VMs. */
  async stop(): Promise<void> {
    await this.#each((vm) => vm.stop());
  }

  /** One file after the other: there is one controller in a VM. */
  async #takeTurn({ url }: TestFile): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#turn;
    this.#turn = before.then(() => promise);
    await before;
    // With --watch, a file comes again when code has changed, and a running VM
    // does not see changes of this machine's files.
    if (this.#served.has(url)) {
      this.#served.clear();
      await this.stop();
      this.#vms.clear();
    }
    this.#served.add(url);
    return resolve;
  }

  async #run(
    { file, kernel, call }: Extract<Request, { type: "run" }> & {
      file: TestFile;
    },
    client: Client,
  ): Promise<{ error?: SentError }> {
    for (let attempt = 1;; attempt++) {
      try {
        const onOutput = (text: string) =>
          client.send({ type: "output", text });
        const vm = this.#vm(kernel, client);
        const { error, isQemuFault } = await vm.run(file, call, onOutput);
        if (!isQemuFault || attempt > 1) return { error };
        const text =
          "QEMU before 8.1 has crashed the VM, the test runs again\n";
        await client.send({ type: "note", text });
      } catch (error) {
        if (!(error instanceof VmError)) throw error;
        return { error: plainError(error.message) };
      }
    }
  }

  #vm(kernel: string, client: Client): TestVm {
    const known = this.#vms.get(kernel);
    if (known !== undefined && !known.isGone) return known;
    const { coverage } = this.#options;
    const env = Object.entries(Deno.env.toObject())
      .filter(([name]) => !OWN_VARIABLES.has(name));
    const vm = new TestVm({
      kernel,
      env: Object.fromEntries(env),
      shares: coverage === undefined ? [] : [coverage],
      progress: progressFor(client),
    });
    this.#vms.set(kernel, vm);
    return vm;
  }

  async #each(action: (vm: TestVm) => Promise<void>): Promise<void> {
    await Promise.all([...this.#vms.values()].map(action));
  }
}

/** A test file at the other end of a connection. */
class Client {
  readonly #connection: Deno.Conn;
  #last: Promise<void> = Promise.resolve();

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /** Sends a message after those before. A client may be gone. */
  send(reply: Reply): Promise<void> {
    return this.#last = this.#last
      .then(() => writeMessage(this.#connection, reply)).catch(() => {});
  }
}

/** Reports to the first test that needs a VM how that is prepared. */
function progressFor(client: Client): Progress {
  const note = (text: string) =>
    void client.send({ type: "note", text: `vm: ${text}\n` });
  return {
    step: (text, duration) => duration === "long" && note(text),
    detail() {},
    done: note,
    clear() {},
  };
}

/** When a process was started, in clock ticks; undefined if it is gone. Its number may be given anew. */
export function startOf(pid: number): string | undefined {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

/** The keeper's process. */
async function main(options: KeeperOptions): Promise<void> {
  const { folder, pid } = options;
  const keeper = new Keeper(options);
  const start = startOf(pid);
  const path = `${folder}/${SOCKET}`;
  // It has its name when it can be used.
  const listener = Deno.listen({ transport: "unix", path: `${path}.new` });
  Deno.renameSync(`${path}.new`, path);
  const watch = setInterval(() => {
    if (start !== undefined && startOf(pid) === start) return;
    clearInterval(watch);
    listener.close();
  }, WATCH_MS);
  for await (const connection of listener) {
    keeper.serve(connection).catch((error) => console.error(error));
  }
  await keeper.stop();
  await Deno.remove(folder, { recursive: true });
  Deno.exit();
}

if (import.meta.main) await main(JSON.parse(Deno.args[0]));
