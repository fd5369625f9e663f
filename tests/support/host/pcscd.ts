/**
 * pcscd with libccid: the smart card service of Linux desktops.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { shell } from "../machine/shell.ts";
import { type RunningExample, startProgram } from "../programs/example.ts";
import { Pcsc } from "./pcsc.ts";

const DRIVERS = "/usr/lib/pcsc/drivers";
const IDS = {
  ifdVendorID: "0x1209",
  ifdProductID: "0x0001",
  ifdFriendlyName: "Test Reader",
};
/** Escape by SCardControl. */
const OPTIONS = "0x0001";

/** How often it is started, and how often it is asked for readers, each time. */
const ATTEMPTS = 3;
const QUESTIONS = 1000;

/** A running pcscd, which has a reader. */
export class Pcscd implements AsyncDisposable {
  readonly pcsc: Pcsc;
  /** The first reader. */
  readonly reader: string;
  readonly #program: RunningExample;
  readonly #drivers: string;

  /**
   * Starts it, and waits until it has readers. libccid serves those that its list
   * has: a copy with the ids of tests is mounted in its place.
   *
   * libccid grants a reader twice 100 ms for its first response, which can be too
   * short for an emulation on a busy machine: pcscd then starts again, which is
   * printed.
   *
   * @param readers How many.
   */
  static async start(readers = 1): Promise<Pcscd> {
    const drivers = await Deno.makeTempDir();
    const added = Object.entries(IDS).map(([key, value]) =>
      `-e '/<key>${key}</,/<array>/ s|<array>|<array>\\n<string>${value}</string>|'`
    );
    await shell(`
      cp -rL ${DRIVERS}/ifd-ccid.bundle ${drivers}
      sed -i ${added.join(" ")} \
        -e '/<key>ifdDriverOptions</,/<string>/ s|0x0000|${OPTIONS}|' \
        ${drivers}/*/Contents/Info.plist
      mount --bind ${drivers} ${DRIVERS}`);
    const log = `${drivers}/log`;
    for (let attempt = 1;; attempt++) {
      const program = startProgram("sh", {
        args: ["-c", `exec pcscd --foreground --info >${log} 2>&1`],
      });
      const pcsc = await Pcsc.open();
      const names = await waitForReaders(pcsc, readers, log);
      if (names !== undefined) {
        return new Pcscd(pcsc, names[0], program, drivers);
      }
      await pcsc.close();
      await program.end("SIGTERM");
      const text = await Deno.readTextFile(log);
      if (attempt === ATTEMPTS) {
        await unmount(drivers);
        throw new Error(`pcscd has no reader: ${text}`);
      }
      console.log(`pcscd starts again, attempt ${attempt}: ${text}`);
    }
  }

  private constructor(
    pcsc: Pcsc,
    reader: string,
    program: RunningExample,
    drivers: string,
  ) {
    this.pcsc = pcsc;
    this.reader = reader;
    this.#program = program;
    this.#drivers = drivers;
  }

  /** Kills it. */
  async kill(): Promise<void> {
    await this.#program.end("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pcsc.close();
    await this.#program.end("SIGTERM");
    await unmount(this.#drivers);
  }
}

async function unmount(drivers: string): Promise<void> {
  await shell(`umount ${DRIVERS}; rm -r ${drivers}`);
}

/** Returns their names, or `undefined` if pcscd gives up. */
async function waitForReaders(
  pcsc: Pcsc,
  count: number,
  log: string,
): Promise<string[] | undefined> {
  for (let asked = 0; asked < QUESTIONS; asked++) {
    const names = await pcsc.readers();
    if (names.length >= count) return names;
    const text = await Deno.readTextFile(log);
    const failures = text.split("CreateChannelByNameOrChannel() failed");
    // libccid is also asked for the interfaces of other classes.
    const others = text.split("Device not found?");
    if (failures.length > others.length) break;
    await delay(20);
  }
  return undefined;
}
