/**
 * Descriptors of real devices, and what their clones have in another way.
 *
 * @module
 */
import type { DeviceDescriptors } from "@usb/gadget/inspect";

/** A descriptor of a device. */
export interface DumpedDescriptor {
  /** Where it begins. */
  readonly offset: number;
  readonly bytes: readonly number[];
  /** Effect and rule of each problem that it has, such as `left-out descriptor-type`. */
  readonly problems: readonly string[];
  /** The bytes that the clone has, which are those of the device unless the problems are others. */
  readonly clone: readonly number[];
}

/** A device. */
export interface DumpedDevice {
  readonly name: string;
  readonly device: Required<
    Omit<DeviceDescriptors, "bos" | "reports">
  >;
  readonly descriptors: readonly DumpedDescriptor[];
}

/**
 * Reads the devices of `tests/support/data/devices.txt`. A device begins with `== NAME`, then its speed, its strings by
 * index, and its descriptors in hexadecimal, one a line. After `|` are the problems that its clone has there, and after
 * another `|` the bytes of the clone.
 */
export async function readDeviceDumps(): Promise<DumpedDevice[]> {
  const file = new URL("../data/devices.txt", import.meta.url);
  const text = await Deno.readTextFile(file);
  return text.split(/^== /m).slice(1).map(readDevice);
}

function readDevice(text: string): DumpedDevice {
  const [name, speed, ...lines] = text.trimEnd().split("\n");
  const isString = (line: string) => /^\d+ "/.test(line);
  const strings = lines.filter(isString).map((line) => {
    const space = line.indexOf(" ");
    return [Number(line.slice(0, space)), JSON.parse(line.slice(space + 1))];
  });
  let offset = 0;
  const descriptors = lines.filter((it) => !isString(it)).map((line) => {
    const [hexadecimal, problems = "", clone] = line.split(" | ");
    const bytes = readBytes(hexadecimal);
    const at = offset;
    offset += bytes.length;
    return {
      offset: at,
      bytes,
      problems: problems === "" ? [] : problems.split(", "),
      clone: clone === undefined ? bytes : readBytes(clone),
    };
  });
  return {
    name,
    device: {
      descriptors: Uint8Array.from(descriptors.flatMap((it) => it.bytes)),
      speed: speed as DumpedDevice["device"]["speed"],
      strings: Object.fromEntries(strings),
    },
    descriptors,
  };
}

function readBytes(text: string): number[] {
  return text.trim().split(" ").map((it) => parseInt(it, 16));
}
