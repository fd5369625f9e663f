import { assert, assertEquals } from "@std/assert";
import { decodeName, encodePath } from "../../ffi/files/names.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("a name in UTF-8 is its text, and no other is the same", () => {
  for (const name of ["plain", "Grüße 😀", "\ufffd", "\ufeffbom"]) {
    assertEquals(decodeName(encode(name)), name);
  }
  const latin1 = decodeName(Uint8Array.of(0x47, 0xfc, 0xdf));
  assertEquals(latin1, "G\udcfc\udcdf");
  assert(!latin1.isWellFormed());
  // Half of a surrogate pair, as UTF-8 does not have it
  assertEquals(decodeName(Uint8Array.of(0xed, 0xb3, 0xbc)).length, 3);
});

Deno.test("a path has the bytes of its names, whatever they are", () => {
  const seed = testSeed();
  const random = new Random(seed);
  const randomByte = () =>
    random.chance() ? random.int(0x80, 0xff) : random.int(0x30, 0x7a);
  for (let i = 0; i < 2000; i++) {
    const names = Array.from(
      { length: random.int(1, 4) },
      () =>
        random.chance(0.3) ? encode("Grüße") : Uint8Array.from(
          { length: random.int(1, 6) },
          randomByte,
        ),
    );
    const path = names.map(decodeName).join("/");
    const bytes = names.flatMap((name, index) =>
      index === 0 ? [...name] : [0x2f, ...name]
    );
    assertEquals([...encodePath(path)], [...bytes, 0], `GADGET_SEED=${seed}`);
  }
});
