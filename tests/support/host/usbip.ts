/**
 * This machine as a client of USB/IP: the program `usbip` and the kernel's vhci.
 *
 * @module
 */
import { shell } from "../machine/shell.ts";

/** Makes the machine ready: its loopback network, and two controllers. */
export function setUpUsbIp(): Promise<string> {
  return shell(`
    ip link set lo up
    modprobe vhci-hcd
    modprobe -r usbip-vudc
    modprobe usbip-vudc num=2`);
}

/** Runs `usbip`; fails with its output. */
export async function usbip(
  ...args: string[]
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("usbip", { args })
    .output();
  const text = new TextDecoder().decode(stdout) +
    new TextDecoder().decode(stderr);
  if (!success) throw new Error(`usbip ${args.join(" ")}: ${text}`);
  return text;
}

/** A client's port with a device, until the client detaches it. */
export class Attached implements AsyncDisposable {
  /** Attaches a device. */
  static async device(port: number, busId: string): Promise<Attached> {
    const at = ["--tcp-port", String(port)];
    await usbip(...at, "attach", "-r", "127.0.0.1", "-b", busId);
    return new Attached();
  }

  /** Detaches all devices. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const port of attachedPorts()) await usbip("detach", "-p", port);
  }
}

/** The ports of vhci with a device. */
export function attachedPorts(): string[] {
  const USED = 6;
  const lines = Deno.readTextFileSync("/sys/devices/platform/vhci_hcd.0/status")
    .trim().split("\n").slice(1);
  return lines.map((line) => line.trim().split(/\s+/))
    .filter(([, , status]) => Number(status) === USED)
    .map(([, port]) => String(Number(port)));
}
