/**
 * DfuSe: memory with addresses.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { Dfu, type DfuArea, DfuError } from "@usb/gadget/dfu";
import { DfuRequest } from "../../src/classes/dfu/codes.ts";
import { FakeDfuHost } from "../support/dfu/fake_dfu_host.ts";

const ADDRESS = 0x0800_0000;
const memory = {
  address: ADDRESS,
  sectors: [{ count: 2, size: 16 }, { count: 1, size: 32 }],
};

function start(changes: Partial<DfuArea> = {}) {
  const calls: unknown[] = [];
  const area: DfuArea = {
    name: "Flash",
    dfuse: memory,
    read(offset, length) {
      calls.push(["read", offset, length]);
      return new Uint8Array(length);
    },
    write: (offset, data) => void calls.push(["write", offset, [...data]]),
    erase: (offset, length) => void calls.push(["erase", offset, length]),
    manifest: (length) => void calls.push(["manifest", length]),
    ...changes,
  };
  const dfu = new Dfu({ areas: [area], transferSize: 8, pollTimeoutMs: 0 });
  const host = new FakeDfuHost(dfu);
  const block = (value: number, ...data: number[]) =>
    host.send(DfuRequest.DNLOAD, { value, data });
  const upload = (value: number, length: number) =>
    host.send(DfuRequest.UPLOAD, { value, length });
  /** A command; returns what follows. */
  const command = async (...bytes: number[]) => {
    await block(0, ...bytes);
    assertEquals((await host.status()).state, "DNBUSY");
    const { state, status } = await host.status();
    return status === "OK" ? state : status;
  };
  const at = (offset: number) => [
    ...new Uint8Array(Uint32Array.of(ADDRESS + offset).buffer),
  ];
  return { calls, dfu, host, block, upload, command, at };
}

Deno.test("the name of the interface has the layout of the memory, and the version is that of DfuSe", () => {
  const describe = (changes: Partial<DfuArea>) => {
    const [{ description, descriptors }] = start(changes).dfu.interfaces;
    const [it] = descriptors!;
    return [description, it.kind === "dfu" && it.bcdDfu];
  };
  assertEquals(describe({}), ["@Flash/0x08000000/2*16Bg,1*32Bg", 0x011a]);
  const dfuse = {
    address: 0x10,
    sectors: [{ count: 4, size: 16 << 10 }, { count: 1, size: 3 << 20 }],
  };
  assertEquals(
    describe({ dfuse, erase: undefined })[0],
    "@Flash/0x00000010/4*16Ke,1*3072Ke",
  );
  assertEquals(
    describe({ write: undefined, erase: undefined })[0],
    "@Flash/0x08000000/2*16Ba,1*32Ba",
  );
});

Deno.test("a host erases sectors, sets an address, and writes from there on", async () => {
  const { calls, host, block, command, at } = start();
  assertEquals(await command(0x41, ...at(20)), "DNLOAD_IDLE");
  assertEquals(await command(0x41, ...at(63)), "DNLOAD_IDLE");
  assertEquals(await command(0x41), "DNLOAD_IDLE");
  assertEquals(await command(0x21, ...at(16)), "DNLOAD_IDLE");
  await block(2, 1, 2);
  assertEquals((await host.status()).state, "DNLOAD_IDLE");
  await block(4, 3);
  assertEquals((await host.status()).state, "DNLOAD_IDLE");
  assertEquals(calls, [
    ["erase", 16, 16],
    ["erase", 32, 32],
    ["erase", 0, 64],
    ["write", 16, [1, 2]],
    ["write", 32, [3]],
  ]);
});

Deno.test("a host sets an address, aborts, and reads from there to the end of the memory", async () => {
  const { calls, host, upload, command, at } = start();
  await command(0x21, ...at(44));
  await host.abort();
  await upload(2, 8);
  await upload(3, 8);
  await upload(4, 8);
  assertEquals(calls, [["read", 44, 8], ["read", 52, 8], ["read", 60, 4]]);
  assertEquals(await host.state(), "IDLE");
  assertEquals(await upload(5, 8), "stall");
  assertEquals((await host.status()).status, "errADDRESS");
});

Deno.test("a host reads the commands of the device", async () => {
  assertEquals(await start().upload(0, 8), { sent: [0, 0x21, 0x41] });
  const { upload } = start({ erase: undefined });
  assertEquals(await upload(0, 8), { sent: [0, 0x21] });
});

Deno.test("a host leaves DFU mode by a download of nothing, in any case", async () => {
  const { calls, host, block, command, at } = start();
  await block(0, 0x21, ...at(0));
  await host.abort();
  await host.download();
  assertEquals((await host.status()).state, "MANIFEST");
  assertEquals((await host.status()).state, "IDLE");
  await command(0x21, ...at(0));
  await block(2, 1, 2, 3);
  await host.status();
  await host.download();
  await host.status();
  await host.status();
  await block(2, 1);
  await host.status();
  await host.download();
  await host.status();
  assertEquals(calls, [
    ["manifest", 0],
    ["write", 0, [1, 2, 3]],
    ["manifest", 3],
    ["write", 0, [1]],
    ["manifest", 1],
  ]);
});

Deno.test("the next host begins at the first address", async () => {
  const { calls, dfu, command, at, host } = start();
  const session = new AbortController();
  const first = new FakeDfuHost(dfu, session);
  await first.state();
  await command(0x21, ...at(32));
  await host.abort();
  session.abort();
  const next = new FakeDfuHost(dfu);
  await next.send(DfuRequest.UPLOAD, { value: 2, length: 8 });
  assertEquals(calls, [["read", 0, 8]]);
});

Deno.test("what is not in the memory, or no command, is an error", async () => {
  const { host, block, command, at } = start();
  const fail = async (status: string, ...bytes: number[]) => {
    assertEquals(await command(...bytes), status);
    await host.clearStatus();
  };
  await fail("errTARGET", 0x21, ...at(-1));
  await fail("errTARGET", 0x21, ...at(64));
  await fail("errTARGET", 0x41, ...at(64));
  await fail("errSTALLEDPKT", 0x21, 1);
  await fail("errSTALLEDPKT", 0x92);
  await command(0x21, ...at(60));
  await block(2, 1, 2, 3, 4, 5);
  assertEquals((await host.status()).status, "errADDRESS");
  await host.clearStatus();
  await block(1, 1);
  assertEquals((await host.status()).status, "errSTALLEDPKT");
});

Deno.test("memory that is not written or erased takes the other commands", async () => {
  const { host, block, command, at } = start({
    write: undefined,
    erase: undefined,
  });
  assertEquals(await command(0x21, ...at(0)), "DNLOAD_IDLE");
  await block(2, 1);
  assertEquals((await host.status()).status, "errWRITE");
  await host.clearStatus();
  assertEquals(await command(0x41), "errSTALLEDPKT");
});

Deno.test("what erase() throws becomes a status", async () => {
  const errors = [new Error("no"), new DfuError("errCHECK_ERASED")];
  const { host, command } = start({
    erase() {
      throw errors.shift();
    },
  });
  assertEquals(await command(0x41), "errERASE");
  await host.clearStatus();
  assertEquals(await command(0x41), "errCHECK_ERASED");
});

const MISTAKES: [object, string][] = [
  [
    { dfuse: undefined },
    '"erase" of area 0 has no effect without "dfuse"',
  ],
  [
    { dfuse: { ...memory, address: 2 ** 32 } },
    '"dfuse.address" of area 0 must be an integer from 0 to 4294967295, is 4294967296',
  ],
  [
    { dfuse: { ...memory, sectors: [] } },
    '"dfuse.sectors" of area 0 must have 1 byte or more, and end below 2³², has 0',
  ],
  [
    { dfuse: { address: 2 ** 32 - 63, sectors: memory.sectors } },
    '"dfuse.sectors" of area 0 must have 1 byte or more, and end below 2³², has 64',
  ],
  [
    { dfuse: { address: 0, sectors: [{ count: 1, size: "1K" }] } },
    '"dfuse.sectors[0].size" of area 0 must be a number, is "1K"',
  ],
];

for (const [changes, message] of MISTAKES) {
  Deno.test(`mistakes in a layout have a clear error: ${message}`, () => {
    assertThrows(
      () => start(changes),
      Error,
      `Cannot make DFU function: ${message}`,
    );
  });
}
