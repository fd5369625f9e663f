/**
 * The trace of a gadget: what its functions do, and what happens to them.
 *
 * @module
 */
// VM: any speed, newest kernel
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { bulkPair, Gadget, Stall, usbFunction } from "@usb/gadget";
import { TestHost } from "@usb/gadget/testing";
import { formatTrace, type TraceRecord } from "@usb/gadget/trace";
import { gadgetSpeed } from "../support/run/speed.ts";
import { until } from "../support/waiting/until.ts";

const { maxSpeed } = gadgetSpeed();

/** Echoes transfers, answers request 1, takes request 2, stalls request 3. */
function echo() {
  return usbFunction({
    name: "echo",
    interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
    async control(setup) {
      if (setup.request === 3) throw new Stall();
      if (setup.direction === "in") return new Uint8Array([1, 2, 3]);
      await setup.receive();
      return undefined;
    },
    async serve({ endpoints: { link } }) {
      for await (const bytes of link.transfers()) {
        await link.write(bytes, { zlp: "auto" });
      }
    },
  });
}

async function startTraced(trace: (record: TraceRecord) => void) {
  return await Gadget.start({
    vendorId: 0x1209,
    productId: 0x0001,
    maxSpeed,
    functions: [echo()],
  }, { trace });
}

/** A record without its times; bytes as hexadecimal. */
function facts(record: TraceRecord): string {
  return formatTrace({
    ...record,
    time: 0,
    ...("duration" in record ? { duration: 0 } : {}),
  })
    .replace(/^0\.000 /, "").replace(/, 0\.00 ms$/, "");
}

Deno.test("a trace has every control request, transfer and event, in order", async () => {
  const records: string[] = [];
  let last = 0;
  const gadget = await startTraced((record) => {
    records.push(facts(record));
    assert(record.time >= 0 && record.time <= performance.now());
    if (record.type === "event") {
      assert(record.time >= last);
      last = record.time;
    }
  });
  const { link } = gadget.functions.echo.endpoints;
  {
    await using host = await TestHost.open(gadget);
    const about = { recipient: "interface", type: "vendor" } as const;
    await host.controlIn({ ...about, request: 1, length: 8 });
    await host.controlOut({ ...about, request: 2 }, new Uint8Array([9]));
    await assertRejects(() =>
      host.controlIn({ ...about, request: 3, length: 8 })
    );
    await host.write(link, new Uint8Array([0xab, 0xcd]));
    assertEquals(await host.read(link, 64), new Uint8Array([0xab, 0xcd]));
    await until(
      () => records.at(-1)?.startsWith("echo: link in") === true,
      "the answer is traced",
    );
  }
  await gadget.stop();
  const reading = /^echo: link out: 2 of (\d+) bytes ab cd$/;
  const room = records.map((it) => reading.exec(it)?.[1]).find((it) => it);
  // How many reads stand in the kernel at the end, and fail, may change.
  const isEnd = (line: string) => /^echo: link out: \D/.test(line);
  assertEquals(records.filter((it) => !isEnd(it)), [
    "echo: bind",
    "echo: enable",
    "echo: IN vendor request 0x01 to interface 0 (value 0x0000, length 8): 3 bytes 01 02 03",
    "echo: OUT vendor request 0x02 to interface 0 (value 0x0000, length 1): 1 byte 09",
    "echo: IN vendor request 0x03 to interface 0 (value 0x0000, length 8): stalled",
    `echo: link out: 2 of ${room} bytes ab cd`,
    "echo: link in: 2 bytes ab cd",
    "echo: disable",
    "echo: unbind",
  ]);
});

Deno.test("a trace that throws is printed, and the device works", async () => {
  const { error } = console;
  const printed: unknown[] = [];
  console.error = (...line) => printed.push(line[0]);
  try {
    await using gadget = await startTraced(() => {
      throw new Error("full");
    });
    const { link } = gadget.functions.echo.endpoints;
    await using host = await TestHost.open(gadget);
    for (let round = 0; round < 3; round++) {
      await host.write(link, new Uint8Array(1000));
      const read = await host.read(link, 1000);
      assertEquals(read.length, 1000);
    }
  } finally {
    console.error = error;
  }
  assert(printed.length >= 8, `${printed.length} were printed`);
  assertEquals(
    new Set(printed),
    new Set(['The trace of function "echo" failed:']),
  );
});
