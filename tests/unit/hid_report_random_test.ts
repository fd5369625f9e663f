import { assert, assertEquals } from "@std/assert";
import {
  ReportDescriptor,
  reportDescriptor,
  ReportDescriptorError,
} from "../../src/classes/hid/report/mod.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import {
  randomReport,
  randomValues,
} from "../support/descriptors/random_report.ts";

const SEED = testSeed();
const RUNS = 1000;

/** Runs a check on random choices. A failure reports the seed that repeats it. */
function forAll(runs: number, check: (random: Random) => void): void {
  for (let i = 0; i < runs; i++) {
    const seed = (SEED + i) >>> 0;
    try {
      check(new Random(seed));
    } catch (cause) {
      throw new Error(`Fails with GADGET_SEED=${seed}`, { cause });
    }
  }
}

Deno.test("a descriptor is the same after its bytes are decoded", () => {
  forAll(RUNS, (random) => {
    const built = reportDescriptor(randomReport(random));
    const decoded = ReportDescriptor.decode(built.bytes);
    assertEquals(decoded.bytes, built.bytes);
    assertEquals(decoded.items, built.items);
    assertEquals(
      decoded.reports.map((it) => ({ ...it })),
      built.reports.map((it) => ({ ...it })),
    );
    assertEquals(String(decoded), String(built));
    assertEquals(reportDescriptor(decoded.items).bytes, built.bytes);
  });
});

Deno.test("fields lie side by side, within their report", () => {
  forAll(RUNS, (random) => {
    for (const report of reportDescriptor(randomReport(random, true)).reports) {
      let end = 0;
      for (const { bitOffset, size, count } of report.fields) {
        assert(bitOffset >= end);
        end = bitOffset + size * count;
      }
      assert(end <= report.bitLength);
      assertEquals(
        new Set(report.fields.map(({ name }) => name)).size,
        report.fields.length,
      );
    }
  });
});

Deno.test("values are the same after they are packed and unpacked", () => {
  forAll(RUNS, (random) => {
    for (const report of reportDescriptor(randomReport(random, true)).reports) {
      const values = randomValues(random, report);
      const bytes = report.pack(values);
      assertEquals(bytes.length, report.byteLength);
      assertEquals(report.unpack(bytes), values);
    }
  });
});

Deno.test("bytes of any origin are decoded or refused, and reports of any bytes unpacked", () => {
  let decoded = 0;
  forAll(20 * RUNS, (random) => {
    const bytes = hostileBytes(random);
    let descriptor: ReportDescriptor;
    try {
      descriptor = ReportDescriptor.decode(bytes);
    } catch (error) {
      if (error instanceof ReportDescriptorError) return;
      throw error;
    }
    decoded++;
    assertEquals(descriptor.bytes, bytes);
    String(descriptor);
    for (const report of descriptor.reports) {
      const data = Uint8Array.from(
        { length: report.byteLength },
        () => random.int(0, 255),
      );
      if (report.id !== 0) data[0] = report.id;
      report.unpack(data);
      report.pack();
    }
  });
  assert(decoded > RUNS, `only ${decoded} descriptors were decoded`);
});

/** Random bytes, or those of a descriptor with some replaced. */
function hostileBytes(random: Random): Uint8Array {
  const noise = () => random.int(0, 255);
  if (random.chance(0.2)) {
    return Uint8Array.from({ length: random.int(0, 60) }, noise);
  }
  const bytes = reportDescriptor(randomReport(random)).bytes;
  for (let edits = random.int(0, 3); edits > 0; edits--) {
    bytes[random.int(0, bytes.length - 1)] = noise();
  }
  return random.chance(0.1)
    ? bytes.subarray(0, random.int(0, bytes.length))
    : bytes;
}

Deno.test("a descriptor with very many usages is decoded at once", () => {
  // 494 reports of 12,288 bits, each with 65,536 usages of its own
  const bytes = [0x05, 0x08, 0x09, 1, 0xa1, 1, 0x15, 0, 0x25, 1, 0x75, 1];
  bytes.push(0x96, 0x00, 0x30);
  for (let id = 1; id <= 255; id++) {
    bytes.push(0x85, id, 0x19, 0, 0x2a, 0xff, 0xff, 0x81, 0x02);
    if (id < 240) bytes.push(0x19, 0, 0x2a, 0xff, 0xff, 0xb1, 0x02);
  }
  bytes.push(0xc0);
  const { reports } = ReportDescriptor.decode(new Uint8Array(bytes));
  assertEquals(reports.length, 494);
  assert(reports.every(({ fields }) => fields.length === 1));
});
