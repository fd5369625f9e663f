/**
 * Boots one VM, runs its command and follows it to the end.
 *
 * @module
 */

import { ExitCode, HangError, VmError } from "../errors.ts";
import { joinLogs } from "../guest/kernel_log.ts";
import { type Machine, type Qemu, startQemu } from "./qemu.ts";
import { chunks, type OutputHandler, readUntilMarker } from "./stream.ts";

/** What is done with one boot. */
export interface Session {
  machine: Machine;
  /** The emulator's program. */
  program: string;
  /** A folder for the sockets, whose path is short. */
  folder: string;
  /** The secret that ends the output, see `guest.ts`. */
  marker: string;
  /** Seconds from power-on until the VM is given up. */
  timeout: number;
  onStdout: OutputHandler;
  onStderr: OutputHandler;
  onConsole?: OutputHandler;
  /** Speaks with the command while it runs. */
  dialogue?: Dialogue;
  /** Called when the command starts. */
  onReady?: (seconds: number) => void;
  signal?: AbortSignal;
}

/** A running guest, as the one who speaks with its command has it. */
export interface Guest {
  /** Writes to the command's standard input. */
  input(text: string): Promise<void>;
  /** Kills a session of processes (see setsid), by the id of its leader. */
  kill(session: number): Promise<void>;
  /**
   * Has the guest write its processes to the kernel log, and then the line
   * "gadget-vm: end TAG".
   */
  report(tag: string): Promise<void>;
}

/** Speaks with a command while it runs. */
export interface Dialogue {
  /** The machine is switched on. */
  onStart(): void;
  /** The command starts. */
  onReady(guest: Guest): void;
  /** Receives the kernel's log, as `/dev/kmsg` has it. */
  onLog(text: string): void;
}

/** How it went. */
export interface SessionResult {
  /** The exit code of the command; absent if the VM ended first. */
  code?: number;
  /** The kernel's log. */
  log: string[];
  /** Seconds from power-on to the command's start; absent if it never started. */
  bootSeconds?: number;
}

/** Seconds that a guest has for its last words. */
const GRACE = 5;

/** Boots the machine and returns when its command has ended. */
export async function runSession(session: Session): Promise<SessionResult> {
  const { marker, timeout, signal } = session;
  signal?.throwIfAborted();
  const start = performance.now();
  session.dialogue?.onStart();
  await using qemu = await startQemu(
    session.machine,
    session.folder,
    session.program,
  );

  const secret = new TextEncoder().encode(marker);
  const kmsg = collector(session.dialogue?.onLog);
  const console = collector(undefined, session.onConsole);
  let bootSeconds: number | undefined;
  let code: number | undefined;
  const control = followControl(qemu, (message) => {
    if (message === "ready") {
      bootSeconds = (performance.now() - start) / 1000;
      session.onReady?.(bootSeconds);
      session.dialogue?.onReady(guestOf(qemu));
    } else if (message.startsWith("exit ")) {
      code = Number(message.slice(5));
    }
    return code !== undefined;
  });
  const consoleEnded = forward(qemu.channels.console.readable, console.handler);
  const kmsgEnded = readUntilMarker(
    qemu.channels.kmsg.readable,
    secret,
    kmsg.handler,
  );
  const outputEnded = Promise.all([
    readUntilMarker(qemu.channels.stdout.readable, secret, session.onStdout),
    readUntilMarker(qemu.channels.stderr.readable, secret, session.onStderr),
  ]);
  const finished = Promise.all([control, kmsgEnded, outputEnded]);
  const log = () => joinLogs(kmsg.text(), console.text());

  /** Why the VM is given up, with what the guest was doing. */
  const giveUp = async (why: string, ...advice: string[]) => {
    if (bootSeconds !== undefined) {
      await guestOf(qemu).report(marker);
      await limit(Promise.race([kmsgEnded, qemu.ended]), GRACE);
    }
    return new VmError(
      [why, ...reportLines(log()), ...advice].join("\n"),
      { exitCode: ExitCode.TimedOut, log: log() },
    );
  };

  let outcome;
  try {
    outcome = await limit(
      // The console says nothing about the end, but its handler may fail.
      Promise.race([finished, qemu.ended, consoleEnded.then(() => qemu.ended)]),
      timeout,
      signal,
    );
  } catch (error) {
    if (error instanceof HangError) throw await giveUp(error.message);
    throw error;
  }
  if (outcome === "timeout") {
    throw await giveUp(
      bootSeconds === undefined
        ? `The VM did not boot within ${timeout} s`
        : `The command did not end within ${timeout} s (it started after ${
          bootSeconds.toFixed(1)
        } s)`,
      "Give it more time with --timeout, or see the whole log with --keep-log",
    );
  }
  // What QEMU's end left in the sockets is still to be read.
  if (code === undefined) {
    await limit(Promise.all([finished, consoleEnded]), GRACE, signal);
    const reason = failureOf(console.text()) ??
      (await qemu.ended).split("\n")[0];
    if (bootSeconds === undefined && reason !== "" && code === undefined) {
      const advice = session.machine.accelerator === "kvm"
        ? "; try --accel tcg"
        : "";
      throw new VmError(`Cannot boot the VM: ${reason}${advice}`, {
        log: log(),
      });
    }
  }
  return { code, bootSeconds, log: log() };
}

/** Waits for a promise, a time limit, or an abort, which throws. */
async function limit<T>(
  promise: Promise<T>,
  seconds: number,
  signal?: AbortSignal,
): Promise<T | "timeout"> {
  signal?.throwIfAborted();
  const { promise: stopped, resolve, reject } = Promise.withResolvers<
    "timeout"
  >();
  const timer = setTimeout(() => resolve("timeout"), seconds * 1000);
  const abort = () => reject(signal?.reason);
  signal?.addEventListener("abort", abort);
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

/** Hands each line of the control port to `onMessage` until that returns true. */
async function followControl(
  qemu: Qemu,
  onMessage: (message: string) => boolean,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks(qemu.channels.control.readable)) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if (onMessage(line)) return;
    }
  }
}

/** What the host says to a guest. */
function guestOf({ channels }: Qemu): Guest {
  const write = async (channel: Deno.UnixConn, text: string) => {
    try {
      const writer = channel.writable.getWriter();
      await writer.write(new TextEncoder().encode(text));
      writer.releaseLock();
    } catch {
      // The guest is not there to listen.
    }
  };
  return {
    input: (text) => write(channels.stdin, text),
    kill: (session) => write(channels.control, `kill ${session}\n`),
    report: (tag) => write(channels.control, `report ${tag}\n`),
  };
}

async function forward(
  readable: ReadableStream<Uint8Array>,
  handler: OutputHandler,
): Promise<void> {
  for await (const chunk of chunks(readable)) await handler(chunk);
}

/** Keeps what passes, as text. */
function collector(
  onText: (text: string) => void = () => {},
  next?: OutputHandler,
) {
  const decoder = new TextDecoder();
  let text = "";
  return {
    handler: async (chunk: Uint8Array) => {
      const part = decoder.decode(chunk, { stream: true });
      text += part;
      onText(part);
      await next?.(chunk);
    },
    text: () => text,
  };
}

/** The reason that init.sh gave on the console for giving up. */
function failureOf(console: string): string | undefined {
  return /gadget-vm: (.*?)\r?$/m.exec(console)?.[1];
}

/** The guest's processes and the end of its kernel log. */
function reportLines(log: string[]): string[] {
  const report = log.filter((line) => line.includes("gadget-vm: process "));
  const processes = report.map((line) =>
    line.replace(/.*gadget-vm: process /, "  process ")
  );
  const last = log.filter((line) => !line.includes("gadget-vm: ")).slice(-15)
    .map((line) => `  ${line}`);
  return [
    ...(processes.length > 0 ? ["Processes of the guest:", ...processes] : []),
    "Last lines of the kernel log:",
    ...(last.length > 0 ? last : ["  (none)"]),
  ];
}
