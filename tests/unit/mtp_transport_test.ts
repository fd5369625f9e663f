/**
 * Transactions over endpoints in memory: data of all sizes, and hosts that lie.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { dataContainer } from "../support/host/mtp_host.ts";
import {
  ENDS_EARLY,
  FAILS,
  LARGE,
  Op,
  serveOperations,
} from "../support/mtp/transport_bench.ts";
import { failureOf } from "../support/waiting/settling.ts";
import { until } from "../support/waiting/until.ts";

const SPEEDS = ["full", "high", "super"] as const;
/** Packet borders with the header, and around them. */
const SIZES = [0, 1, 51, 52, 53, 499, 500, 501, 511, 512, 513, 1011, 1012, 1013]
  .concat([
    65_536 - 12,
    262_131,
    262_132,
    262_133,
    262_144,
    1 << 20,
    3_000_001,
  ]);

for (const speed of SPEEDS) {
  Deno.test(`data of all sizes arrives whole, in both directions: ${speed} speed`, async () => {
    await using bench = serveOperations(speed);
    const { host, record } = bench;
    await host.pass(Op.OPEN, [1]);
    for (const [seed, size] of SIZES.entries()) {
      const expected = pattern(size, seed);
      for (const code of [Op.GET, Op.GET_BYTES]) {
        const data = await host.pass(code, [size, seed]);
        assertEquals(firstDifference(data, expected), -1, `get ${size}`);
      }
      for (const zlp of [true, false]) {
        for (const split of [true, false]) {
          for (const code of [Op.PUT, Op.PUT_DATASET]) {
            if (code === Op.PUT_DATASET && size > 1 << 20) continue;
            record.received = new Uint8Array(0);
            await host.pass(code, [], { send: expected, zlp, split });
            const { received } = record;
            const how = `put ${size}, zlp ${zlp}, split ${split}`;
            assertEquals(firstDifference(received, expected), -1, how);
          }
        }
      }
    }
    assertEquals(record.open, 0);
    assertEquals(record.failures, []);
  });
}

Deno.test("a session is opened, and closed by the host or with its connection", async () => {
  await using bench = serveOperations("high");
  const { record } = bench;
  const { host } = bench;
  assertEquals((await host.run(Op.GET, [1])).response, "Session_Not_Open");
  assertEquals((await host.run(Op.CLOSE)).response, "Session_Not_Open");
  assertEquals((await host.run(Op.OPEN, [0])).response, "Invalid_Parameter");
  assertEquals(await host.pass(Op.INFO), pattern(30));
  await host.pass(Op.OPEN, [7]);
  const again = await host.run(Op.OPEN, [8]);
  assertEquals(again.response, "Session_Already_Open");
  assertEquals(again.parameters, [7]);
  const echo = await host.run(Op.ECHO, [1, 2, 3]);
  assertEquals(echo.parameters, [1, 2, 3]);
  const bytes = await host.run(Op.GET_BYTES, [4, 5]);
  assertEquals(bytes.parameters, [4]);
  await host.pass(Op.CLOSE);
  assertEquals([record.opened, record.closed], [1, 1]);
  await host.pass(Op.OPEN, [9]);
  await bench.reconnect();
  assertEquals([record.opened, record.closed], [2, 2]);
  const after = await bench.host.run(Op.ECHO);
  assertEquals(after.response, "Session_Not_Open");
});

Deno.test("errors of operations are responses, and others are reported", async () => {
  await using bench = serveOperations("high");
  const { host } = bench;
  await host.pass(Op.OPEN, [1]);
  const unknown = await host.run(0x9fff, [1]);
  assertEquals(unknown.response, "Operation_Not_Supported");
  assertEquals((await host.run(Op.BREAK)).response, "General_Error");
  assertEquals(bench.takeReported().map(String), ["Error: broken"]);
  for (const size of [0, 500, 10_000, 1_000_000]) {
    const send = pattern(size);
    const refused = await host.run(Op.REFUSE, [], { send });
    assertEquals(refused.response, "Store_Full");
    // Whether the host sends data for it is not known.
    const unsupported = await host.run(0x9fff, [], { send });
    assertEquals(unsupported.response, "Operation_Not_Supported");
  }
  const tooLong = await host.run(Op.PUT_DATASET, [], {
    send: pattern((1 << 20) + 1),
  });
  assertEquals(tooLong.response, "Invalid_Dataset");
  const { parameters } = await host.run(Op.ECHO, [5]);
  assertEquals(parameters, [5]);
});

for (const speed of SPEEDS) {
  Deno.test(`a file that cannot be read to its end is a shorter transfer: ${speed} speed`, async () => {
    await using bench = serveOperations(speed);
    const { host, record } = bench;
    await host.pass(Op.OPEN, [1]);
    // Halves that end on packet borders with the header, and do not
    const sizes = [1000, 1000 + 24, 2 * (262_144 - 12), 2 * 262_144, 3_000_000];
    for (const size of sizes) {
      for (const how of [ENDS_EARLY, FAILS]) {
        const result = await host.run(Op.GET, [size, 3, how]);
        assertEquals(result.response, "Incomplete_Transfer");
        const half = pattern(size / 2, 3);
        assertEquals(firstDifference(result.data, half), -1, `${size}`);
        const errors = bench.takeReported().map(String);
        assertEquals(errors, how === FAILS ? ["Error: unreadable"] : []);
      }
    }
    const nothing = await host.run(Op.GET, [1, 3, FAILS]);
    assertEquals(nothing.response, "General_Error");
    assertEquals(bench.takeReported().length, 1);
    assertEquals(record.open, 0);
  });

  Deno.test(`data of unknown length ends with a short or an empty packet: ${speed} speed`, async () => {
    await using bench = serveOperations(speed);
    const { host, record } = bench;
    await host.pass(Op.OPEN, [1]);
    for (const [seed, size] of SIZES.entries()) {
      const send = pattern(size, seed);
      for (const split of [true, false]) {
        // A header of its own, and nothing: its end is not seen.
        if (size === 0) continue;
        await host.pass(Op.PUT, [], { send, split, length: 0xffff_ffff });
        assertEquals(firstDifference(record.received, send), -1, `${size}`);
        assertEquals(record.announced, undefined);
      }
    }
  });

  Deno.test(`a header with the lower half of an announced length is known as such: ${speed} speed`, async () => {
    await using bench = serveOperations(speed);
    const { host, record } = bench;
    await host.pass(Op.OPEN, [1]);
    // libmtp does that. All of it would take too long; what comes is not too much.
    const how = { send: pattern(1_000_001), length: (LARGE + 12) % 2 ** 32 };
    const { response } = await host.run(Op.PUT_LARGE, [], how);
    assertEquals(response, "Incomplete_Transfer");
    assertEquals(record.announced, LARGE);
    // Other wrong lengths are wrong.
    const wrong = await host.run(Op.PUT_LARGE, [], { ...how, length: 113 });
    assertEquals(wrong.response, "Invalid_Dataset");
  });

  Deno.test(`lengths that lie end the operation, and no other: ${speed} speed`, async () => {
    await using bench = serveOperations(speed);
    const { host } = bench;
    const { packetSize } = host.pipe;
    await host.pass(Op.OPEN, [1]);
    const sizes = [1, 500, 1012, packetSize - 12, 2 * packetSize - 12]
      .concat([65_536 - 12, 100_000, 524_288 - 12, 1_000_000]);
    for (const size of sizes) {
      const send = pattern(size);
      for (const wrong of [-1, 1, packetSize, -packetSize, 600_000, -600_000]) {
        const length = size + 12 + wrong;
        if (length < 12) continue;
        const code = size % 2 ? Op.PUT : Op.PUT_DATASET;
        const { response } = await host.run(code, [], { send, length });
        // More than was announced shows in the packet with its end only.
        const fits = length % packetSize === 0 ? "OK" : "Invalid_Dataset";
        const expected = wrong > 0 ? "Incomplete_Transfer" : fits;
        assertEquals(response, expected, `${size} as ${length}`);
        const { parameters } = await host.run(Op.ECHO, [size]);
        assertEquals(parameters, [size], `${size} as ${length}`);
      }
    }
  });
}

Deno.test("what is no command halts the endpoint until the host clears that", async () => {
  await using bench = serveOperations("high");
  const { host, record } = bench;
  const { pipe } = host;
  await host.pass(Op.OPEN, [1]);
  const command = (length: number, size: number, type = 1) => {
    const bytes = new Uint8Array(Math.max(size, 12));
    const view = new DataView(bytes.buffer);
    view.setUint32(0, length, true);
    view.setUint16(4, type, true);
    view.setUint16(6, Op.ECHO, true);
    view.setUint32(8, host.transaction, true);
    return bytes.slice(0, size);
  };
  const garbage = [
    new Uint8Array(1),
    command(12, 11),
    command(16, 12),
    command(12, 16),
    command(36, 36),
    command(14, 14),
    command(512, 512),
    command(12, 12, 0),
    command(12, 12, 3),
    command(12, 12, 4),
    command(11, 12, 2),
    command(0, 1500, 7),
  ];
  for (const [index, bytes] of garbage.entries()) {
    await pipe.send(bytes, true);
    const stalled = await failureOf(pipe.receive(512));
    assertEquals((stalled as { code?: string }).code, "EPIPE", `${index}`);
    assertEquals(await host.status(), [0x201f, 0x81]);
    await pipe.clearHalt();
    const { parameters } = await host.run(Op.ECHO, [index]);
    assertEquals(parameters, [index]);
    assertEquals(await host.status(), [0x2001]);
  }
  record.runs.splice(0);
  // In place of data, it ends the operation instead.
  for (const bytes of garbage) {
    const { length } = bytes;
    // Those are data containers, or commands of later transactions.
    await host.command(Op.PUT);
    await pipe.send(bytes, true);
    const { response } = await host.result();
    assertEquals(response, "Invalid_Dataset", `${length}`);
  }
  assertEquals(record.runs, []);
  const { parameters } = await host.run(Op.ECHO, [1]);
  assertEquals(parameters, [1]);
});

Deno.test("data without an operation is dropped, and that of another ends it", async () => {
  await using bench = serveOperations("high");
  const { host, record } = bench;
  await host.pass(Op.OPEN, [1]);
  for (const size of [0, 500, 501, 10_000, 1_000_000]) {
    await host.sendData(Op.PUT, pattern(size));
    const { parameters } = await host.run(Op.ECHO, [size]);
    assertEquals(parameters, [size]);
    await host.command(Op.PUT);
    const wrong = dataContainer({
      length: size + 12,
      code: Op.PUT,
      transactionId: 77,
    }, pattern(size));
    await host.pipe.send(wrong, true);
    const { response } = await host.result();
    assertEquals(response, "Invalid_TransactionID");
  }
  assertEquals(record.received.length, 0);
});

Deno.test("a command in place of data ends the operation, and is served", async () => {
  await using bench = serveOperations("high");
  const { host, record } = bench;
  await host.pass(Op.OPEN, [1]);
  // In place of the whole data, and of a part of it
  for (const sent of [undefined, 0, 500, 1012, 262_144, 1_000_000 - 64]) {
    await host.command(Op.PUT);
    if (sent !== undefined) {
      const { transaction } = host;
      const whole = dataContainer({
        length: 1_000_012,
        code: Op.PUT,
        transactionId: transaction - 1,
      }, pattern(sent));
      const border = whole.length - whole.length % 512;
      await host.pipe.send(whole.slice(0, border || 12), false);
    }
    const { parameters } = await host.run(Op.ECHO, [sent ?? 1]);
    assertEquals(parameters, [sent ?? 1], `${sent}`);
  }
  assertEquals(record.received.length, 0);
  // A host that begins anew does not count on.
  await host.command(Op.PUT);
  host.transaction = 0;
  assertEquals(await host.pass(Op.INFO), pattern(30));
});

Deno.test("a command while data is sent ends that, and is served", async () => {
  await using bench = serveOperations("high");
  const { host, record } = bench;
  await host.pass(Op.OPEN, [1]);
  for (const size of [100, 10_000_000]) {
    for (const received of [0, 512, 65_536]) {
      await host.command(Op.GET, [size]);
      if (received < size) await host.pipe.receive(received || 512);
      record.runs.splice(0);
      await host.command(Op.ECHO, [received]);
      // What was queued before can be received until then.
      await until(() => record.runs.includes(Op.ECHO), "it is served");
      assertEquals((await host.result()).parameters, [received]);
    }
  }
  assertEquals(record.open, 0);
});
