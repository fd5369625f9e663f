/**
 * The kernel's record of the bus: usbmon.
 *
 * @module
 */

const FOLDER = "/sys/kernel/debug/usb/usbmon";

/** The end of a transfer on the bus. */
export interface BusRecord {
  /** bEndpointAddress. */
  readonly endpoint: number;
  /** 0, or a negative error number. */
  readonly status: number;
  /** Transferred bytes. */
  readonly length: number;
}

async function run(program: string, ...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(program, {
    args,
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

/**
 * Records the ends of a device's transfers while `body` runs.
 *
 * @param device The bus, and the device's address on it.
 * @param count The number of transfers to wait for.
 */
export async function recordBus(
  device: { readonly busNumber: number; readonly address: number },
  count: number,
  body: () => Promise<void>,
): Promise<BusRecord[]> {
  await run("modprobe", "usbmon");
  const mounted = await Deno.stat(FOLDER).then(() => true, () => false);
  if (!mounted) {
    await run("mount", "-t", "debugfs", "none", "/sys/kernel/debug");
  }
  using file = await Deno.open(`${FOLDER}/${device.busNumber}u`);
  await body();
  const bytes = new Uint8Array(1 << 16);
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const records = parseUsbmon(text, device.address);
    if (records.length >= count && text.endsWith("\n")) return records;
    text += decoder.decode(bytes.subarray(0, await file.read(bytes) ?? 0));
  }
}

/** Extracts the ends of a device's transfers from usbmon's text ("u" format). */
export function parseUsbmon(text: string, address: number): BusRecord[] {
  const records: BusRecord[] = [];
  for (const line of text.split("\n")) {
    // tag, time in µs, event, address, status, length
    const match = /^\S+ \d+ C [BI]([io]):\d+:(\d+):(\d+) (-?\d+)(?::\d+)? (\d+)/
      .exec(line);
    if (match === null || Number(match[2]) !== address) continue;
    records.push({
      endpoint: Number(match[3]) | (match[1] === "i" ? 0x80 : 0),
      status: Number(match[4]),
      length: Number(match[5]),
    });
  }
  return records;
}
