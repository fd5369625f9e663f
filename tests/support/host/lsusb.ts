/**
 * Reads descriptors with `lsusb -v`, which shares no code with this project.
 *
 * @module
 */
import type { UsbDeviceInfo } from "../../../src/testing/usbfs/find.ts";

/** Runs `lsusb -v` for a device, and returns its lines with single spaces. */
export async function lsusb(device: UsbDeviceInfo): Promise<string[]> {
  const place = `${device.busNumber}:${device.address}`;
  // Asynchronous, because it reads strings that this process may have to serve.
  const { code, stdout, stderr } = await new Deno.Command("lsusb", {
    args: ["-v", "-s", place],
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  if (code !== 0) {
    throw new Error(
      `lsusb -v -s ${place} fails with ${code}: ${decoder.decode(stderr)}`,
    );
  }
  return decoder.decode(stdout).split("\n")
    .map((line) => line.trim().replaceAll(/\s+/g, " "));
}
