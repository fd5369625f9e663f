/**
 * Block devices for tests: loop devices, and the device mapper's on top of them.
 *
 * @module
 */
import { shell } from "./shell.ts";

/** A block device that is gone when it is disposed of. */
export interface TestDevice extends AsyncDisposable {
  readonly path: string;
  readonly byteLength: number;
}

/** A loop device on a file of zeros. */
export interface LoopDevice extends TestDevice {
  /** The file. */
  readonly file: string;
}

/** Makes a loop device; other options than those of its file are losetup's. */
export async function loopDevice(
  byteLength: number,
  options = "",
): Promise<LoopDevice> {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/device.img`;
  const path = (await shell(`modprobe -q loop || true
    truncate -s ${byteLength} ${file}
    losetup --find --show ${options} ${file}`)).trim();
  return {
    path,
    byteLength,
    file,
    async [Symbol.asyncDispose]() {
      await shell(`losetup --detach ${path}`);
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** A device of the device mapper. */
export interface MappedDevice extends TestDevice {
  /** The state of its first part, as the kernel documents it. */
  status(): string;
  /** Holds all requests back, those that are written back as well. */
  suspend(): Promise<void>;
  /** Goes on with them. */
  resume(): Promise<void>;
}

let count = 0;

/**
 * Makes a device of the device mapper.
 *
 * @param table Its parts from the first sector on: how many sectors, and what the
 * kernel's documentation of the target writes behind them.
 */
export async function mappedDevice(
  ...table: readonly (readonly [sectors: number, target: string])[]
): Promise<MappedDevice> {
  const name = `gadget-test-${Deno.pid}-${count++}`;
  let start = 0;
  const lines = table.map(([sectors, target]) => {
    const line = `${start} ${sectors} ${target}`;
    start += sectors;
    return line;
  });
  const quiet = "--noudevrules --noudevsync";
  // The links in /dev/mapper are made by udev, which need not run.
  const node = await shell(`for it in dm-mod dm-delay; do
      modprobe -q $it || true
    done
    dmsetup create ${name} ${quiet} <<END\n${lines.join("\n")}\nEND
    dmsetup info -c --noheadings -o blkdevname ${name}`);
  return {
    path: `/dev/${node.trim()}`,
    byteLength: start * 512,
    status() {
      const { stdout } = new Deno.Command("dmsetup", {
        args: ["status", name],
      }).outputSync();
      const [line] = new TextDecoder().decode(stdout).split("\n");
      return line.replace(/^\d+ \d+ /, "");
    },
    async suspend() {
      await shell(`dmsetup suspend --nolockfs --noflush ${quiet} ${name}`);
    },
    async resume() {
      await shell(`dmsetup resume ${quiet} ${name}`);
    },
    async [Symbol.asyncDispose]() {
      await shell(`dmsetup remove --retry ${quiet} ${name}`);
    },
  };
}

/** A file system at a folder of its own, until it is disposed of. */
export async function mounted(
  what: string,
  options = "",
): Promise<{ readonly folder: string } & AsyncDisposable> {
  const folder = await Deno.makeTempDir();
  await shell(`mount ${options} ${what} ${folder}`);
  return {
    folder,
    async [Symbol.asyncDispose]() {
      await shell(`umount ${folder}`);
      await Deno.remove(folder);
    },
  };
}
