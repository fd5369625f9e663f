/**
 * Files of `./mtp` beside the same bytes over bare endpoints: `write()` to the host,
 * and `transfers()` from it. The host is another process. Prints a table; to be run
 * in a bed:
 *
 * ```sh
 * deno task uml -- deno run -A --import-map=$PWD/tests/import_map.json \
 *   $PWD/bench/mtp.ts [ROUNDS]
 * ```
 *
 * @module
 */
import { bulkPair, Gadget, usbFunction } from "@usb/gadget";
import { Mtp, type ObjectStore } from "@usb/gadget/mtp";
import { UsbfsDevice } from "../src/testing/usbfs/device.ts";
import { UrbType } from "../src/testing/usbfs/abi.ts";
import { table } from "./report.ts";

const IDS = { vendorId: 0x1209, productId: 0x0001, serialNumber: "mtp" };
const SIZE = 64 << 20;
const HEADER = 12;
const PIECE = 1 << 18;
const DEPTH = 4;
const WAYS = ["get", "write", "send", "transfers"] as const;

/** A container without data. */
function container(
  type: number,
  code: number,
  id: number,
  ...parameters: number[]
): Uint8Array<ArrayBuffer> {
  const words = [HEADER + 4 * parameters.length, type | code << 16, id];
  return new Uint8Array(Uint32Array.from([...words, ...parameters]).buffer);
}

/** What SendObjectInfo sends: a file of SIZE bytes, with a name. */
function objectInfo(name: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER + 52 + 1 + 2 * (name.length + 1) + 3);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.byteLength, true);
  view.setUint32(4, 2 | 0x100c << 16, true);
  view.setUint16(HEADER + 4, 0x3000, true);
  view.setUint32(HEADER + 8, SIZE, true);
  bytes[HEADER + 52] = name.length + 1;
  for (let at = 0; at < name.length; at++) {
    bytes[HEADER + 53 + 2 * at] = name.charCodeAt(at);
  }
  return bytes;
}

/** The host: prints the milliseconds of each way, round by round. */
async function host(rounds: number): Promise<void> {
  await using device = await UsbfsDevice.find(IDS);
  await device.claimInterface(0);
  await device.claimInterface(1);
  const [mtpIn, mtpOut, bareIn, bareOut] = bulkAddresses(device.descriptors());
  const buffers = Array.from({ length: DEPTH }, () => new Uint8Array(PIECE));

  /** Moves bytes, with some transfers under way. */
  const move = async (endpoint: number, total: number) => {
    let left = total;
    await Promise.all(buffers.map(async (buffer) => {
      while (left > 0) {
        const size = Math.min(PIECE, left);
        left -= size;
        const input = endpoint & 0x80;
        const urb = device.submit({
          type: UrbType.bulk,
          endpoint,
          buffer: input ? buffer : buffer.subarray(0, size),
        });
        const { status, actualLength } = await urb.completion;
        if (status !== 0 || actualLength !== size) {
          throw new Error(`URB: ${status}, ${actualLength} of ${size}`);
        }
      }
    }));
  };

  let id = 0;
  const operate = async (
    code: number,
    parameters: number[],
    data: () => Promise<unknown> = () => Promise.resolve(),
  ) => {
    await device.bulkOut(mtpOut, container(1, code, ++id, ...parameters));
    await data();
    const answer = new DataView((await device.bulkIn(mtpIn, 512)).buffer);
    if (answer.getUint32(4, true) !== (3 | 0x2001 << 16)) {
      throw new Error(`0x${answer.getUint32(4, true).toString(16)}`);
    }
  };
  const header = (code: number, size: number) => {
    const bytes = container(2, code, id);
    new DataView(bytes.buffer).setUint32(0, HEADER + size, true);
    return bytes;
  };

  await operate(0x1002, [1]);
  await operate(0x1007, [0xffffffff, 0, 0xffffffff], async () => {
    await device.bulkIn(mtpIn, 512);
  });
  for (let round = 0; round < rounds; round++) {
    const times: number[] = [];
    for (const way of WAYS) {
      if (way === "send") {
        await operate(0x100c, [0, 0], async () => {
          const bytes = objectInfo(`file${round}`);
          new DataView(bytes.buffer).setUint32(8, id, true);
          await device.bulkOut(mtpOut, bytes);
        });
      }
      const began = performance.now();
      if (way === "get") {
        await operate(0x1009, [1], () => move(mtpIn, HEADER + SIZE));
      } else if (way === "write") {
        await device.bulkOut(bareOut, Uint8Array.of(1));
        await move(bareIn, HEADER + SIZE);
      } else if (way === "send") {
        await operate(0x100d, [], () => {
          buffers[0].set(header(0x100d, SIZE));
          return move(mtpOut, HEADER + SIZE);
        });
      } else {
        await move(bareOut, HEADER + SIZE);
        await device.bulkIn(bareIn, 512);
      }
      times.push(performance.now() - began);
    }
    console.log(times.join(" "));
  }
}

/** The addresses of the bulk endpoints: in and out of each interface. */
function bulkAddresses(bytes: Uint8Array): number[] {
  const found: number[] = [];
  for (let at = 0; at < bytes.byteLength; at += bytes[at]) {
    if (bytes[at + 1] !== 5 || (bytes[at + 3] & 3) !== 2) continue;
    found.push(bytes[at + 2]);
  }
  return [0, 2].flatMap((first) =>
    found.slice(first, first + 2).sort((a, b) => b - a)
  );
}

const content = new Uint8Array(HEADER + SIZE);

/** A store with one file; what is sent is thrown away. */
const entry = { name: "file", kind: "file", size: SIZE } as const;
const sent = new Set<string>();
const store: ObjectStore = {
  list: () => [entry],
  look: (path) =>
    path === "file" || sent.has(path) ? { ...entry, name: path } : undefined,
  open: () => ({
    byteLength: SIZE,
    read(offset, into) {
      const part = content.subarray(
        offset,
        Math.min(SIZE, offset + into.length),
      );
      into.set(part);
      return part.length;
    },
    close() {},
  }),
  create: (path) => ({
    write() {},
    commit: () => void sent.add(path),
    close() {},
  }),
};

/** The same bytes over bare endpoints. */
const bare = usbFunction({
  name: "bare",
  interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
  async serve(session) {
    const { link } = session.endpoints;
    let received = 0;
    for await (const { byteLength } of link.transfers({ size: PIECE })) {
      if (byteLength === 1) await link.write(content);
      else if ((received += byteLength) === content.byteLength) {
        received = 0;
        await link.write(Uint8Array.of(1));
      }
    }
  },
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

async function main(rounds: number): Promise<void> {
  await using _ = await Gadget.start({
    ...IDS,
    functions: [new Mtp({ storages: [store] }), bare],
    microsoftOs: true,
  });
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      `--import-map=${
        new URL("../tests/import_map.json", import.meta.url).pathname
      }`,
      new URL(import.meta.url).pathname,
      `${rounds}`,
      "host",
    ],
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (!success) throw new Error(text + new TextDecoder().decode(stderr));
  const lines = text.trim().split("\n").map((line) =>
    line.split(" ").map(Number)
  );
  const [get, write, send, transfers] = WAYS.map((_, index) =>
    median(lines.map((line) => line[index]))
  );
  const row = (name: string, time: number, base: number) => [
    name,
    (SIZE / 1048.576 / time).toFixed(0),
    (SIZE / 1048.576 / base).toFixed(0),
    (base / time).toFixed(2),
  ];
  console.log(table([
    ["64 MiB, MB/s", "MTP", "bare", "ratio"],
    row("get, write()", get, write),
    row("send, transfers()", send, transfers),
  ]));
}

const rounds = Number(Deno.args[0] ?? 5);
if (Deno.args[1] === "host") await host(rounds);
else await main(rounds);
Deno.exit(0);
