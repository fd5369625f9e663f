/**
 * Reports by hidraw's ioctls, which are control requests on the bus
 * (linux/hidraw.h). They run on another thread: the device is in this process.
 *
 * @module
 */
import { O_RDWR } from "../../../ffi/abi.ts";
import { close, open } from "../../../ffi/file.ts";
import { testLibc } from "../machine/libc.ts";

/** `_IOC(_IOC_READ | _IOC_WRITE, 'H', number, 0)`; the size is in the upper half. */
const HIDIOC = 0xc000_4800;
const NUMBERS = {
  setFeature: 0x06,
  getFeature: 0x07,
  getInput: 0x0a,
  setOutput: 0x0b,
  getOutput: 0x0c,
} as const;

/**
 * Sets or gets a report.
 *
 * @param report The report, its ID or 0 first; with room for an answer.
 * @returns The answer, its ID first if it has one; undefined for a failure.
 */
export async function hidrawReport(
  path: string,
  kind: keyof typeof NUMBERS,
  report: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const fd = open(path, O_RDWR);
  try {
    const request = HIDIOC + NUMBERS[kind] + report.length * 0x1_0000;
    const count = await testLibc.ioctl_blocking(
      fd,
      BigInt(request),
      report,
    );
    return count < 0 ? undefined : report.subarray(0, count);
  } finally {
    close(fd);
  }
}
