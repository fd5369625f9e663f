/**
 * A running contender in the VM: its gadget, its process and its host.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { compileFunction } from "@usb/gadget/inspect";
import { externalFunction, Gadget, kernelFunction } from "@usb/gadget";
import { waitForDevice, waitForNoDevice } from "../src/testing/usbfs/find.ts";
import type { Contender, Programs } from "./contenders.ts";
import { benchFunction } from "./definition.ts";
import type { Cell } from "./plan.ts";
import { Program } from "./program.ts";

/** The result of one round of a cell. */
export interface Measurement {
  seconds: number;
  /** CPU time of the gadget's process; none for the kernel's function. */
  cpuSeconds?: number;
  /** Times of a ping, in microseconds. */
  p50?: number;
  p99?: number;
}

/** Whether a contender has to be started for one size and depth. */
export function isMadeForCell(contender: Contender): boolean {
  return contender === "kernel-sourcesink" ||
    contender === "rust-usb-gadget" || contender === "python-functionfs";
}

/** Whether a contender supports a cell. */
export function canDo(contender: Contender, cell: Cell): boolean {
  // What differs from gadget-streams.
  if (contender === "gadget-default-reader") return cell.direction === "out";
  // Its two directions are independent.
  if (contender === "kernel-sourcesink") return cell.direction !== "ping";
  // python-functionfs reads whole packets; 512 bytes are less than one.
  return !(contender === "python-functionfs" && cell.direction !== "in" &&
    cell.size < 1024 && cell.direction !== "ping");
}

/** A gadget with its process, and the host that uses it. */
export class RunningContender implements AsyncDisposable {
  /** Seconds from the start of the process until the host has configured it. */
  readonly startSeconds: number;
  readonly #gadget: Gadget;
  readonly #gadgetProgram: Program | undefined;
  readonly #host: Program;
  readonly #ids: { vendorId: number; productId: number; serialNumber: string };

  private constructor(parts: {
    gadget: Gadget;
    gadgetProgram: Program | undefined;
    host: Program;
    ids: { vendorId: number; productId: number; serialNumber: string };
    startSeconds: number;
  }) {
    this.#gadget = parts.gadget;
    this.#gadgetProgram = parts.gadgetProgram;
    this.#host = parts.host;
    this.#ids = parts.ids;
    this.startSeconds = parts.startSeconds;
  }

  /** Starts a contender on a UDC, for a cell if it supports only one. */
  static async start(
    contender: Contender,
    { programs, udc, cell, label = contender }: {
      programs: Programs;
      udc: string;
      cell: Pick<Cell, "size" | "depth">;
      label?: string;
    },
  ): Promise<RunningContender> {
    const ids = {
      vendorId: 0x1209,
      productId: 0x0001,
      serialNumber: label,
    };
    const others = devicesOfHost();
    const started = performance.now();
    let gadgetProgram: Program | undefined;
    let gadget: Gadget;
    if (contender === "kernel-sourcesink") {
      gadget = await Gadget.start({
        ...ids,
        functions: [kernelFunction("SourceSink", {
          bulk_buflen: cell.size,
          bulk_qlen: cell.depth,
          pattern: 2, // neither made nor looked at
        })],
      }, { udc }) as unknown as Gadget;
    } else {
      const external = externalFunction("bench", { interfaces: 1 });
      const made = await Gadget.start({ ...ids, functions: [external] }, {
        udc,
        bind: false,
      });
      gadget = made as unknown as Gadget;
      gadgetProgram = Program.start(
        await commandLine(contender, programs, made.mountPoints.bench, cell),
      );
      await gadgetProgram.expect("open");
      await gadget.bind();
    }
    await untilConfigured(others);
    const startSeconds = (performance.now() - started) / 1000;
    await waitForDevice(ids);
    const host = Program.start([programs.host, label]);
    await host.expect("ready");
    return new RunningContender({
      gadget,
      gadgetProgram,
      host,
      ids,
      startSeconds,
    });
  }

  /** Resident memory of the process in bytes. */
  get residentBytes(): number | undefined {
    return this.#gadgetProgram?.residentBytes();
  }

  /** CPU time that the process has used, in seconds. */
  get cpuSeconds(): number | undefined {
    return this.#gadgetProgram?.cpuSeconds();
  }

  /** Runs a cell once. */
  async measure(cell: Cell): Promise<Measurement> {
    const { direction, size, depth, count } = cell;
    const command = `${direction} ${size} ${depth} ${count}`;
    const before = this.cpuSeconds;
    await this.#gadgetProgram?.say(command);
    await this.#gadgetProgram?.expect("ready");
    await this.#host.say(command);
    const [seconds, p50, p99] = (await this.#host.next()).split(" ")
      .map(Number);
    await this.#gadgetProgram?.expect("done");
    const after = this.cpuSeconds;
    return {
      seconds,
      cpuSeconds: after === undefined ? undefined : after - before!,
      p50,
      p99,
    };
  }

  /** Ends the host and the process, and removes the gadget. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host.end();
    await this.#gadget.unbind();
    await this.#gadgetProgram?.end();
    await this.#gadget.stop();
    await waitForNoDevice(this.#ids);
  }
}

const DEVICES = "/sys/bus/usb/devices";

/** The names of the USB devices that the host sees, without its hubs. */
export function devicesOfHost(): string[] {
  return [...Deno.readDirSync(DEVICES)].map(({ name }) => name)
    .filter((name) => /^\d+-[\d.]+$/.test(name));
}

/**
 * Waits until the host has configured another device than these. Looking at all
 * attributes of all devices would take hundreds of system calls, and delay what
 * is measured.
 */
export async function untilConfigured(
  others: readonly string[],
): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (
    !devicesOfHost().some((name) => !others.includes(name) && hasSetting(name))
  ) {
    if (performance.now() > deadline) {
      throw new Error("the host has configured no gadget");
    }
    await delay(2);
  }
}

function hasSetting(device: string): boolean {
  try {
    const file = `${DEVICES}/${device}/bConfigurationValue`;
    return Deno.readTextFileSync(file).trim() !== "";
  } catch {
    return false; // it is gone again
  }
}

async function commandLine(
  contender: Contender,
  programs: Programs,
  mountPoint: string,
  cell: Pick<Cell, "size" | "depth">,
): Promise<string[]> {
  const command = programs.commands[contender]!;
  if (isMadeForCell(contender)) {
    return [...command, mountPoint, `${cell.size}`, `${cell.depth}`];
  }
  if (contender.startsWith("gadget")) return [...command, mountPoint];
  const { descriptors, strings } = compileFunction(benchFunction);
  const folder = await Deno.makeTempDir();
  await Deno.writeFile(`${folder}/descriptors`, descriptors);
  await Deno.writeFile(`${folder}/strings`, strings);
  return [...command, mountPoint, `${folder}/descriptors`, `${folder}/strings`];
}
