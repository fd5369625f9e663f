/**
 * dfu-util, and a DFU host that does everything.
 *
 * @module
 */
import { UsbfsDevice } from "../../../src/testing/usbfs/device.ts";
import {
  DFU_STATUSES,
  DfuRequest,
  DfuState,
  nameOf,
} from "../../../src/classes/dfu/codes.ts";

const IDS = { vendorId: 0x1209, productId: 0x0001, serialNumber: "1" };

/** Starts dfu-util on the device of a test. Asynchronous: that may be in this process. */
export function startDfuUtil(...args: string[]): Deno.ChildProcess {
  return new Deno.Command("dfu-util", {
    args: ["-d", "1209:0001", ...args],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** The end of a program: its exit code, and all that it has printed. */
export async function outputOf(
  program: Deno.ChildProcess,
): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await program.output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/**
 * Runs dfu-util, and returns its output.
 *
 * @throws {Error} If it fails.
 */
export async function runDfuUtil(...args: string[]): Promise<string> {
  const { code, text } = await outputOf(startDfuUtil(...args));
  if (code === 0 || args.includes("-R") && code === GONE) return text;
  throw new Error(`dfu-util ${args.join(" ")} ends with ${code}:\n${text}`);
}

/** LIBUSB_ERROR_NOT_FOUND as exit code: the device has left before its reset was over. */
const GONE = 251;

/** Runs dfu-util, which has to fail, and returns its output. */
export async function failDfuUtil(...args: string[]): Promise<string> {
  const { code, text } = await outputOf(startDfuUtil(...args));
  if (code !== 0) return text;
  throw new Error(`dfu-util ${args.join(" ")} succeeds:\n${text}`);
}

/** Sends DFU requests one by one, to the first interface. */
export class DfuHost implements AsyncDisposable {
  readonly device: UsbfsDevice;

  static async claim(): Promise<DfuHost> {
    const device = await UsbfsDevice.find(IDS);
    await device.claimInterface(0);
    return new DfuHost(device);
  }

  private constructor(device: UsbfsDevice) {
    this.device = device;
  }

  /** A request without data, or with data for the device. */
  async out(request: number, data?: Uint8Array<ArrayBuffer>, value = 0) {
    await this.device.controlOut({ requestType: 0x21, request, value }, data);
  }

  /** A request for data. */
  async in(request: number, length: number): Promise<Uint8Array> {
    return await this.device.controlIn({ requestType: 0xa1, request, length });
  }

  /** The state and the status, by their names. */
  async status(): Promise<{ state: string; status: string }> {
    const answer = await this.in(DfuRequest.GETSTATUS, 6);
    return {
      state: nameOf(DfuState, answer[4]),
      status: DFU_STATUSES[answer[0]],
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.device.close();
  }
}
