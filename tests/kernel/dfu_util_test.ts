// VM: a class of device
/**
 * DFU mode under dfu-util.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { setTimeout as delay } from "node:timers/promises";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { DfuError } from "@usb/gadget/dfu";
import { DfuRequest } from "../../src/classes/dfu/codes.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { DfuBench, MemoryArea } from "../support/gadgets/dfu_bench.ts";
import { DfuHost, failDfuUtil, runDfuUtil } from "../support/host/dfu_util.ts";
import { soak } from "../support/run/soak.ts";
import { until } from "../support/waiting/until.ts";

/** In the error of a request that was stalled. */
const STALLED = "Broken pipe";

Deno.test("dfu-util lists the areas of a device, and finds each by its name", async () => {
  const [flash, eeprom] = [new MemoryArea("flash"), new MemoryArea("eeprom")];
  await using bench = await DfuBench.start({ areas: [flash, eeprom] });
  const list = await runDfuUtil("-l");
  assertStringIncludes(list, 'intf=0, path="');
  assertStringIncludes(list, 'alt=0, name="flash", serial="1"');
  assertStringIncludes(list, "intf=1, ");
  assertStringIncludes(list, 'alt=0, name="eeprom", serial="1"');
  await bench.download(pattern(10_000, 1), "-a", "flash");
  await bench.download(pattern(300, 2), "-a", "eeprom");
  await bench.download(pattern(5_000, 3), "-i", "1");
  assertEquals(flash.firmware, pattern(10_000, 1));
  assertEquals(eeprom.firmware, pattern(5_000, 3));
  assertEquals(await bench.upload("-a", "eeprom"), pattern(5_000, 3));
  assertEquals(await bench.upload("-a", "flash"), pattern(10_000, 1));
  // Each is setting 0 of its own interface.
  const fail = (...args: string[]) =>
    failDfuUtil("-U", bench.file("x"), ...args);
  assertStringIncludes(await fail("-a", "1"), "No DFU capable USB device");
  const several = "More than one DFU capable USB device";
  assertStringIncludes(await fail("-a", "0"), several);
  assertStringIncludes(await fail(), several);
  assertEquals(bench.errors, []);
});

Deno.test("what is downloaded is what was sent, and what is uploaded is what there was", async () => {
  const area = new MemoryArea();
  await using bench = await DfuBench.start({ areas: [area] });
  const large = soak(8 << 20, 128 << 10);
  for (const size of [1, 4095, 4096, 99_999, large]) {
    const data = pattern(size, size);
    assertStringIncludes(await bench.download(data), "Done!");
    assertEquals(firstDifference(area.firmware, data), -1);
    assertEquals(firstDifference(await bench.upload(), data), -1);
  }
  assertEquals(bench.errors, []);
});

Deno.test("block numbers wrap at 65536", async () => {
  const area = new MemoryArea();
  await using bench = await DfuBench.start({ areas: [area], transferSize: 64 });
  // Only a host by hand begins in the middle.
  const data = pattern(64 * 8, 1);
  {
    await using host = await DfuHost.claim();
    for (let block = 0; block < 8; block++) {
      const part = data.slice(64 * block, 64 * block + 64);
      await host.out(DfuRequest.DNLOAD, part, (0xfffc + block) & 0xffff);
      assertEquals((await host.status()).state, "DNLOAD_IDLE");
    }
    await host.out(DfuRequest.DNLOAD);
    assertEquals((await host.status()).state, "IDLE");
  }
  assertEquals(await bench.upload(), data);
});

Deno.test("slow writes and a slow manifestation have dfu-util wait, and nothing else", async () => {
  class SlowArea extends MemoryArea {
    override async write(offset: number, data: Uint8Array<ArrayBuffer>) {
      await delay(100);
      super.write(offset, data);
    }
    override async manifest(length: number) {
      await delay(100);
      await super.manifest(length);
    }
  }
  const area = new SlowArea();
  await using bench = await DfuBench.start({
    areas: [area],
    pollTimeoutMs: 20,
  });
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const data = pattern(20_000, 1);
  const text = await bench.download(data);
  clearInterval(timer);
  assertStringIncludes(text, "dfuMANIFEST,");
  assertStringIncludes(text, "dfuIDLE,");
  assertEquals(area.firmware, data);
  assert(turns > 100, `${turns} turns of the event loop`);
});

Deno.test("dfu-util shows why a write has failed, and the next one works", async () => {
  class FullArea extends MemoryArea {
    error: Error | undefined;
    override write(offset: number, data: Uint8Array<ArrayBuffer>) {
      if (offset === 8192 && this.error) throw this.error;
      super.write(offset, data);
    }
    override manifest(length: number) {
      if (this.error) throw this.error;
      return super.manifest(length);
    }
  }
  const area = new FullArea();
  await using bench = await DfuBench.start({ areas: [area] });
  await Deno.writeFile(bench.file("sent"), pattern(20_000, 1));
  const fail = () => failDfuUtil("-D", bench.file("sent"));

  area.error = new DfuError("errERASE");
  assertStringIncludes(await fail(), "Memory erase function failed");
  area.error = new DfuError("errADDRESS");
  assertStringIncludes(await fail(), "address that is out of range");
  assertEquals(bench.errors, []);
  const own = area.error = new Error("The flash is worn out");
  assertStringIncludes(await fail(), "Device is unable to write memory");
  await until(() => bench.errors.length > 0, "the error is reported");
  assertEquals(bench.errors, [own]);

  area.error = undefined;
  await bench.download(pattern(20_000, 2));
  assertEquals(area.firmware, pattern(20_000, 2));
});

Deno.test("a request in a wrong state is stalled, and dfu-util clears the error", async () => {
  const area = new MemoryArea();
  await using bench = await DfuBench.start({ areas: [area] });
  {
    await using host = await DfuHost.claim();
    for (const request of [DfuRequest.DETACH, DfuRequest.CLRSTATUS]) {
      await assertRejects(() => host.out(request), Error, STALLED);
      assertEquals(await host.status(), {
        state: "ERROR",
        status: "errSTALLEDPKT",
      });
      await host.out(DfuRequest.CLRSTATUS);
      assertEquals(await host.status(), { state: "IDLE", status: "OK" });
    }
    await assertRejects(() => host.out(DfuRequest.DETACH), Error, STALLED);
  }
  await bench.download(pattern(100, 1));
  assertEquals(area.firmware, pattern(100, 1));
});

Deno.test("a download that was aborted or left in the middle is begun again", async () => {
  const area = new MemoryArea();
  await using bench = await DfuBench.start({ areas: [area] });
  for (const abort of [true, false]) {
    {
      await using host = await DfuHost.claim();
      for (let block = 0; block < 3; block++) {
        await host.out(DfuRequest.DNLOAD, pattern(4096, 7), block);
        assertEquals((await host.status()).state, "DNLOAD_IDLE");
      }
      if (abort) await host.out(DfuRequest.ABORT);
    }
    const data = pattern(30_000, abort ? 1 : 2);
    await bench.download(data);
    assertEquals(area.firmware, data);
    // An upload that was left in the middle as well
    {
      await using host = await DfuHost.claim();
      assertEquals(await host.in(DfuRequest.UPLOAD, 4096), data.slice(0, 4096));
      if (abort) await host.out(DfuRequest.ABORT);
    }
    assertEquals(await bench.upload(), data);
  }
});

Deno.test("a device that is not tolerant waits for the reset that dfu-util makes", async () => {
  const area = new MemoryArea();
  await using bench = await DfuBench.start({
    areas: [area],
    manifestationTolerant: false,
  });
  const left = bench.dfu.left();
  const text = await bench.download(pattern(5_000, 1));
  assertStringIncludes(text, "dfuMANIFEST-WAIT-RESET");
  await left;
  assertEquals(area.firmware, pattern(5_000, 1));
  // It stays in DFU mode, since the program wants it so.
  await bench.download(pattern(6_000, 2));
  assertEquals(area.firmware, pattern(6_000, 2));
});

Deno.test("dfu-util resets a device at the end, if it should", async () => {
  const area = new MemoryArea();
  await using bench = await DfuBench.start({ areas: [area] });
  const left = bench.dfu.left();
  await bench.download(pattern(5_000, 1), "-R");
  await left;
  assertEquals(area.firmware, pattern(5_000, 1));
});
