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
    const program = startProgram("pcscd", {
      args: ["--foreground", "--info"],
    });
    const pcsc = await Pcsc.open();
    let names: string[] = [];
    for (let tries = 0; names.length < readers; tries++) {
      if (tries > 0) await delay(20);
      names = await pcsc.readers();
      if (tries === 1000) {
        const { text } = await program.end("SIGKILL");
        await shell(`umount ${DRIVERS}`);
        throw new Error(`pcscd has no reader: ${text}`);
      }
    }
    return new Pcscd(pcsc, names[0], program, drivers);
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

  /** Ends it, and returns what it has logged. */
  async end(): Promise<string> {
    const { text } = await this.#program.end("SIGTERM");
    return text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pcsc.close();
    await this.end();
    await shell(`umount ${DRIVERS}; rm -r ${this.#drivers}`);
  }
}
