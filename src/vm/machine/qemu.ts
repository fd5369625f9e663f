/**
 * Starts QEMU and connects to its console and to the guest's ports.
 *
 * @module
 */

import type { Architecture } from "../architectures.ts";
import { VmError } from "../errors.ts";

/** How the guest's processor is run. */
export type Accelerator = "kvm" | "tcg";

/** One virtual machine. */
export interface Machine {
  architecture: Architecture;
  accelerator: Accelerator;
  vmlinuz: string;
  initramfs: string;
  /** Megabytes. */
  memory: number;
  processors: number;
  shares: readonly string[];
}

/** The guest's ports, in the order in which init.sh numbers them. */
const PORTS = ["stdout", "stderr", "kmsg", "control", "stdin"] as const;

/** What the host reads from, except for `stdin`; it writes to that and to `control`. */
export type Channel = "console" | (typeof PORTS)[number];

/** A started QEMU. */
export interface Qemu extends AsyncDisposable {
  readonly channels: Readonly<Record<Channel, Deno.UnixConn>>;
  /** QEMU's own messages, once it has ended. */
  readonly ended: Promise<string>;
}

/** The arguments of QEMU, with its sockets in `folder`. */
export function qemuArguments(machine: Machine, folder: string): string[] {
  const { architecture, accelerator } = machine;
  const channel = (name: Channel) => [
    "-chardev",
    `socket,id=${name},path=${folder}/${name},server=off`,
  ];
  const parameters = [
    `console=${architecture.console}`,
    // init.sh lowers this once kmsg is read.
    "loglevel=7",
    "log_buf_len=4M",
    "printk.devkmsg=on",
    "panic=-1",
    "oops=panic",
    "mitigations=off",
    ...architecture.parameters,
    ...(accelerator === "tcg" ? architecture.emulationParameters : []),
  ];
  return [
    "-machine",
    architecture.machine[accelerator],
    "-accel",
    accelerator === "tcg" ? "tcg,thread=multi" : "kvm",
    "-cpu",
    architecture.cpu[accelerator],
    "-smp",
    `${machine.processors}`,
    "-m",
    `${machine.memory}M`,
    "-nodefaults",
    "-no-user-config",
    "-display",
    "none",
    "-no-reboot",
    "-kernel",
    machine.vmlinuz,
    "-initrd",
    machine.initramfs,
    "-append",
    parameters.join(" "),
    ...channel("console"),
    "-serial",
    "chardev:console",
    "-device",
    "virtio-serial-pci",
    ...PORTS.flatMap((name, index) => [
      ...channel(name),
      "-device",
      `virtserialport,chardev=${name},name=${name},nr=${index + 1}`,
    ]),
    ...export9p("/", "host", true),
    ...machine.shares.flatMap((path, index) =>
      export9p(path, `share${index}`, false)
    ),
  ];
}

function export9p(path: string, tag: string, readonly: boolean): string[] {
  const options = [
    "local",
    // QEMU reads a doubled comma as one that belongs to the value.
    `path=${path.replaceAll(",", ",,")}`,
    `mount_tag=${tag}`,
    "security_model=none",
    "multidevs=remap",
    ...(readonly ? ["readonly=on"] : []),
  ];
  return ["-virtfs", options.join(",")];
}

/** Starts QEMU. Disposing ends it and waits until it is gone. */
export async function startQemu(
  machine: Machine,
  folder: string,
  program: string,
): Promise<Qemu> {
  const names: Channel[] = ["console", ...PORTS];
  const listeners = names.map((name) =>
    Deno.listen({ transport: "unix", path: `${folder}/${name}` })
  );
  const closeListeners = () =>
    listeners.forEach((listener) => listener.close());
  let process: Deno.ChildProcess;
  try {
    process = new Deno.Command(program, {
      args: qemuArguments(machine, folder),
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
  } catch (cause) {
    closeListeners();
    throw new VmError(`Cannot start "${program}"`, { cause });
  }
  const ended = Promise.all([
    followMessages(process),
    process.status,
  ])
    .then(([text]) => text.trim());
  const connections = Promise.all(
    listeners.map((listener) => listener.accept()),
  );
  connections.catch(() => {}); // rejected by closeListeners() when QEMU ends early
  const connected = await Promise.race([connections, ended]);
  closeListeners();
  if (typeof connected === "string") {
    throw new VmError(`Cannot start QEMU: ${connected || "it ended at once"}`);
  }
  const channels = Object.fromEntries(
    names.map((name, index) => [name, connected[index]]),
  ) as Record<Channel, Deno.UnixConn>;
  return {
    channels,
    ended,
    async [Symbol.asyncDispose]() {
      try {
        process.kill("SIGKILL");
      } catch {
        // It has ended already.
      }
      await ended;
      for (const connection of connected) closeQuietly(connection);
    },
  };
}

/**
 * Gathers QEMU's messages. A KVM that cannot run the guest stops it for good
 * without ending QEMU.
 */
async function followMessages(process: Deno.ChildProcess): Promise<string> {
  let text = "";
  for await (
    const part of process.stderr.pipeThrough(new TextDecoderStream())
  ) {
    text += part;
    if (text.includes("KVM internal error")) process.kill("SIGKILL");
  }
  return text;
}

function closeQuietly(connection: Deno.UnixConn): void {
  try {
    connection.close();
  } catch {
    // A stream over the connection has closed it.
  }
}
