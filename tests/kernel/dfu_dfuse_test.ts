// VM: a class of device
/**
 * DfuSe, the extension of STMicroelectronics, under dfu-util.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type DfuArea, DfuError } from "@usb/gadget/dfu";
import { pattern } from "../support/data/pattern.ts";
import { DfuBench } from "../support/gadgets/dfu_bench.ts";
import { failDfuUtil, runDfuUtil } from "../support/host/dfu_util.ts";

const ADDRESS = 0x0800_0000;
const SMALL = 16 << 10;
const LARGE = 64 << 10;
const ERASED = 0xff;

/** Memory of 4 small sectors and a large one, which has to be erased before it is written. */
class Flash implements DfuArea {
  readonly name = "Internal Flash";
  readonly dfuse = {
    address: ADDRESS,
    sectors: [{ count: 4, size: SMALL }, { count: 1, size: LARGE }],
  };
  readonly bytes = new Uint8Array(4 * SMALL + LARGE);
  /** The sectors that were erased, by their offsets and lengths. */
  readonly erased: [number, number][] = [];
  manifested = 0;

  read(offset: number, length: number): Uint8Array {
    return this.bytes.subarray(offset, offset + length);
  }

  write(offset: number, data: Uint8Array): void {
    const old = this.bytes.subarray(offset, offset + data.length);
    if (old.some((it) => it !== ERASED)) {
      throw new DfuError("errCHECK_ERASED");
    }
    old.set(data);
  }

  erase(offset: number, length: number): void {
    this.erased.push([offset, length]);
    this.bytes.fill(ERASED, offset, offset + length);
  }

  manifest(): void {
    this.manifested++;
  }
}

Deno.test("dfu-util reads the layout of the memory, erases its sectors, and writes and reads at addresses", async () => {
  const flash = new Flash();
  await using bench = await DfuBench.start({ areas: [flash] });
  assertStringIncludes(
    await runDfuUtil("-l"),
    'name="@Internal Flash/0x08000000/4*16Kg,1*64Kg"',
  );
  const data = pattern(3 * SMALL, 1);
  const at = `0x${(ADDRESS + 2 * SMALL).toString(16)}`;
  await bench.download(data, "-s", at);
  assertEquals(flash.erased, [
    [2 * SMALL, SMALL],
    [3 * SMALL, SMALL],
    [4 * SMALL, LARGE],
  ]);
  assertEquals(flash.bytes.slice(2 * SMALL, 5 * SMALL), data);
  assertEquals(flash.manifested, 0);
  assertEquals(await bench.upload("-s", `${at}:${3 * SMALL}`), data);
  assertEquals(await bench.upload("-s", `${at}:100`), data.slice(0, 100));
  assertEquals(bench.errors, []);
});

Deno.test("dfu-util erases all of the memory", async () => {
  const flash = new Flash();
  await using bench = await DfuBench.start({ areas: [flash] });
  const data = pattern(20_000, 1);
  await bench.download(data, "-s", "0x08000000:mass-erase:force");
  assertEquals(flash.erased, [[0, flash.bytes.length]]);
  assertEquals(flash.bytes.slice(0, 20_000), data);
  assertEquals(flash.bytes[20_000], ERASED);
});

Deno.test("dfu-util leaves DFU mode", async () => {
  const flash = new Flash();
  await using bench = await DfuBench.start({
    areas: [flash],
    manifestationTolerant: false,
    willDetach: true,
  });
  const left = bench.dfu.left();
  await bench.download(pattern(5_000, 1), "-s", "0x08000000:leave");
  await left;
  assertEquals(flash.manifested, 1);
});

Deno.test("dfu-util shows that memory was not erased, or is somewhere else", async () => {
  class Worn extends Flash {
    override erase() {}
  }
  await using bench = await DfuBench.start({ areas: [new Worn()] });
  await Deno.writeFile(bench.file("sent"), pattern(100));
  const fail = (at: string) => failDfuUtil("-D", bench.file("sent"), "-s", at);
  assertStringIncludes(await fail("0x08000000"), "erase check failed");
  assertStringIncludes(await fail("0x07fff000"), "is not writeable");
});

Deno.test("dfu-util writes the parts of a DfuSe file that are for setting 0", async () => {
  const flash = new Flash();
  await using bench = await DfuBench.start({ areas: [flash] });
  const data = pattern(5_000, 1);
  await Deno.writeFile(bench.file("part"), data);
  const at = (offset: number) => `0x${(ADDRESS + offset).toString(16)}`;
  const { success } = await new Deno.Command("dfuse-pack", {
    args: [
      ...["-b", `${at(0)}:${bench.file("part")}`],
      ...["-b", `${at(SMALL)}:${bench.file("part")}`],
      ...["-b", `${at(LARGE)}@1:${bench.file("part")}`],
      ...["-D", "0x1209:0x0001", bench.file("all.dfu")],
    ],
  }).output();
  assert(success);
  await runDfuUtil("-D", bench.file("all.dfu"));
  assertEquals(flash.erased, [[0, SMALL], [SMALL, SMALL]]);
  assertEquals(flash.bytes.slice(0, 5_000), data);
  assertEquals(flash.bytes.slice(SMALL, SMALL + 5_000), data);
});
