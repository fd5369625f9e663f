/**
 * HID devices as programs on the host see them: hidraw, and nothing in between
 * (Documentation/hid/hidraw.rst).
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { until } from "../waiting/until.ts";

const CLASS = "/sys/class/hidraw";

/** Which device. */
export interface HidrawMatch {
  readonly vendorId: number;
  readonly productId: number;
  /**
   * `bInterfaceNumber`.
   * @default {any}
   */
  readonly interface?: number;
}

/** The file of a gadget's HID interface, such as `/dev/hidraw0`, if the kernel has made it. */
export function findHidraw(match: HidrawMatch): string | undefined {
  const found = namesIn(CLASS).find((name) => {
    try {
      // DEVICE/INTERFACE/HID device
      const hid = Deno.realPathSync(`${CLASS}/${name}/device`);
      const read = (file: string) =>
        parseInt(Deno.readTextFileSync(`${hid}/../${file}`), 16);
      return read("../idVendor") === match.vendorId &&
        read("../idProduct") === match.productId &&
        (match.interface === undefined ||
          read("bInterfaceNumber") === match.interface) &&
        // devtmpfs creates it a moment later.
        Deno.statSync(`/dev/${name}`).isCharDevice;
    } catch (error) {
      // It is new or has gone, or is no USB device.
      const { code } = error as { code?: string };
      if (code === "ENOENT" || code === "ENODEV") return false;
      throw error;
    }
  });
  return found && `/dev/${found}`;
}

/** Waits for the file of a gadget's HID interface. */
export async function waitForHidraw(match: HidrawMatch): Promise<string> {
  let path: string | undefined;
  await until(
    () => (path = findHidraw(match)) !== undefined,
    "the host has the HID device",
  );
  return path as string;
}

function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

const libc = Deno.dlopen("libc.so.6", {
  // It waits for the device.
  open: {
    parameters: ["buffer", "i32"],
    result: "i32",
    nonblocking: true,
  },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
});

const O_NONBLOCK = 0o4000;
/** A report is at most this long. */
const MAX_REPORT = 4096;

/**
 * An open hidraw file. The kernel keeps only 64 reports for it, and the virtual
 * controller sends eight in a millisecond: so this looks for them again and again,
 * as no thread that waits is fast enough in the VM.
 */
export class Hidraw {
  readonly #fd: number;
  readonly #output: Deno.FsFile;
  readonly #reading: Promise<void>;
  #isClosed = false;

  private constructor(
    fd: number,
    output: Deno.FsFile,
    onReport: (report: Uint8Array<ArrayBuffer>) => void,
  ) {
    this.#fd = fd;
    this.#output = output;
    this.#reading = this.#read(onReport);
  }

  /**
   * Opens a device.
   *
   * @param onReport Receives each input report, its ID first if it has one.
   */
  static async open(
    path: string,
    onReport: (report: Uint8Array<ArrayBuffer>) => void,
  ): Promise<Hidraw> {
    const name = new TextEncoder().encode(`${path}\0`);
    const fd = await libc.symbols.open(name, O_NONBLOCK);
    if (fd < 0) throw new Error(`Cannot open ${path}`);
    try {
      const output = await Deno.open(path, { write: true });
      return new Hidraw(fd, output, onReport);
    } catch (error) {
      libc.symbols.close(fd);
      throw error;
    }
  }

  /** Sends an output report, and waits until the device has it. */
  async write(report: Uint8Array, id = 0): Promise<void> {
    const bytes = Uint8Array.of(id, ...report);
    const written = await this.#output.write(bytes);
    if (written !== bytes.length) {
      throw new Error(`Only ${written} of ${bytes.length} bytes were written`);
    }
  }

  async #read(
    onReport: (report: Uint8Array<ArrayBuffer>) => void,
  ): Promise<void> {
    const memory = new Uint8Array(MAX_REPORT);
    while (!this.#isClosed) {
      for (;;) {
        const size = libc.symbols.read(this.#fd, memory, BigInt(MAX_REPORT));
        // Nothing there, or the device has gone.
        if (size <= 0) break;
        onReport(memory.slice(0, Number(size)));
      }
      await delay(1);
    }
  }

  /** Closes the file. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#output.close();
    try {
      await this.#reading;
    } finally {
      libc.symbols.close(this.#fd);
    }
  }
}
