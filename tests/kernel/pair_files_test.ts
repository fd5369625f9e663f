// VM: any speed, any architecture
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  bulkIn,
  bulkPair,
  DefinitionError,
  Gadget,
  usbFunction,
} from "@usb/gadget";
import { list, readlink } from "../../ffi/file.ts";
import { addressesOf, startEndpoints } from "../support/gadgets/endpoints.ts";
import { gadgetTraces, openFiles } from "../support/machine/leftovers.ts";
import { kernelHasProxies, pairModes } from "../support/gadgets/pair_modes.ts";
import { startServer } from "../support/programs/pair_server.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { staysPending } from "../support/waiting/settling.ts";
import { gadgetSpeed } from "../support/run/speed.ts";

const { bulkPacketSize: PACKET, maxSpeed } = gadgetSpeed();
const SIZE = 2 * PACKET;

function assertSame(actual: Uint8Array, expected: Uint8Array, what = "") {
  assertEquals(actual.byteLength, expected.byteLength, what);
  assertEquals(firstDifference(actual, expected), -1, what);
}

/** The files of a mount that this process has open, by their names. */
function openBelow(mounted: string): string[] {
  return list("/proc/self/fd").flatMap(({ name }) => {
    try {
      const target = readlink(`/proc/self/fd/${name}`);
      return target.startsWith(mounted)
        ? [target.slice(mounted.length + 1)]
        : [];
    } catch {
      return []; // the one that has listed them
    }
  }).sort();
}

Deno.test("every pair has a file for both directions where the kernel has them, named after its first endpoint", async () => {
  await using test = await startEndpoints({
    first: bulkPair(),
    second: bulkPair({ first: "out" }),
  });
  const { first, second } = test.endpoints;
  const mounted = test.gadget.mountPoints.test;
  assertEquals([first.native, second.native], [
    kernelHasProxies,
    kernelHasProxies,
  ]);
  const files = ["ep1", "ep2", "ep3", "ep4"];
  if (kernelHasProxies) {
    files.push("ep1_rw", "ep3_rw");
    assertEquals(first.path, `${mounted}/ep1_rw`);
    assertEquals(second.path, `${mounted}/ep3_rw`);
  } else {
    assertThrows(
      () => first.path,
      Deno.errors.NotSupported,
      'Pair "first" has no combined file: this kernel has no files for both directions, Linux 7.3 has',
    );
  }
  assertEquals(openBelow(mounted), ["ep0", "ep0", ...files].sort());
  const reading = first.read(100);
  await test.host.write(first, pattern(10));
  assertSame(await reading, pattern(10));
});

Deno.test("a pair has no file of its own beside other endpoints, or if its function does without", async () => {
  {
    await using test = await startEndpoints({
      link: bulkPair(),
      log: bulkIn(),
    });
    assertEquals(test.endpoints.link.native, false);
    assertThrows(
      () => test.endpoints.link.path,
      Deno.errors.NotSupported,
      "only where every endpoint of the function is in a pair",
    );
  }
  await using test = await startEndpoints({ link: bulkPair() }, {
    rwProxy: false,
  });
  assertThrows(
    () => test.endpoints.link.path,
    Deno.errors.NotSupported,
    "its function does without (rwProxy: false)",
  );
});

Deno.test("rwProxy: true is refused on a kernel without, and leaves nothing", async () => {
  if (kernelHasProxies) {
    await using test = await startEndpoints({ link: bulkPair() }, {
      rwProxy: true,
    });
    assert(test.endpoints.link.native);
    return;
  }
  const before = [gadgetTraces(), openFiles()];
  await assertRejects(
    () => startEndpoints({ link: bulkPair() }, { rwProxy: true }),
    DefinitionError,
    "has no files for both directions",
  );
  assertEquals([gadgetTraces(), openFiles()], before);
});

Deno.test("with virtual addresses a pair's file carries the address of its first endpoint", async () => {
  await using test = await startEndpoints({
    link: bulkPair({ in: { address: 0x81 }, out: { address: 0x02 } }),
    back: bulkPair({
      first: "out",
      in: { address: 0x86 },
      out: { address: 0x07 },
    }),
  }, { virtualAddresses: true });
  const { link, back } = test.endpoints;
  const mounted = test.gadget.mountPoints.test;
  assertEquals(addressesOf(test.host), [0x81, 0x02, 0x07, 0x86]);
  assertEquals(link.in.path, `${mounted}/ep81`);
  if (kernelHasProxies) {
    assertEquals(link.path, `${mounted}/ep81_rw`);
    assertEquals(back.path, `${mounted}/ep07_rw`);
  }
  for (const pair of [link, back]) {
    const written = pair.write(pattern(SIZE));
    assertSame(await test.host.read(pair, SIZE), pattern(SIZE));
    await written;
  }
});

Deno.test("virtual addresses that the controller does not give are refused before the host is confused", async () => {
  const before = gadgetTraces();
  const error = await assertRejects(() =>
    Gadget.start({
      vendorId: 0x1209,
      productId: 0x0001,
      maxSpeed,
      functions: [usbFunction({
        name: "test",
        virtualAddresses: true,
        interfaces: [{
          class: 0xff,
          endpoints: {
            link: bulkPair({ in: { address: 0x83 }, out: { address: 0x02 } }),
          },
        }],
      })],
    }), DefinitionError);
  assertEquals(
    error.message,
    'Cannot define function "test": link: "dummy_udc.0" gives this endpoint the address 0x81, not 0x83, so the host cannot set the configuration: declare that address, or do without virtualAddresses',
  );
  assertEquals(gadgetTraces(), before);
});

for (const { name, rwProxy } of pairModes) {
  Deno.test(`${name} pair: halts and ioctls are for its endpoints, also while transfers wait`, async () => {
    await using test = await startEndpoints({ link: bulkPair() }, {
      rwProxy,
    });
    const { endpoints: { link }, host } = test;
    const reading = link.read(SIZE);
    assertEquals((await link.out.descriptor()).address, addressesOf(host)[1]);
    await link.out.halt();
    await assertRejects(() => host.write(link, pattern(1)), Error, "Broken");
    await link.out.clearHalt();
    await host.write(link, pattern(10));
    assertSame(await reading, pattern(10));
    await link.in.halt();
    const written = link.write(pattern(SIZE));
    await assertRejects(() => host.read(link, SIZE), Error, "Broken");
    assert(await staysPending(written));
    await host.clearHalt(link.in);
    assertSame(await host.read(link, SIZE), pattern(SIZE));
    await written;
    await link.in.flush();
  });

  Deno.test(`${name} pair: streams wait while another program uses the files, and lose nothing`, async () => {
    await using test = await startEndpoints({ link: bulkPair() }, {
      rwProxy,
    });
    const { endpoints: { link }, host } = test;
    const theirs = pattern(SIZE, 1);
    const args = ["bs=4096", "count=1", "status=none"];
    const files = link.native ? [link.path, link.path] : [
      link.out.path,
      link.in.path,
    ];
    // Through the pair's own file where there is one, or the endpoints' files.
    for (const [from, to] of [files, [link.out.path, link.in.path]]) {
      await using reader = startServer("dd", [`if=${from}`, ...args]);
      await using writer = startServer("dd", [
        `of=${to}`,
        "conv=notrunc",
        "iflag=fullblock",
        ...args,
      ], theirs);
      await Promise.all([reader.waits(), writer.waits()]);
      const stream = link.readable.getReader();
      const sink = link.writable.getWriter();
      const reading = stream.read();
      const written = sink.write(pattern(SIZE, 2));
      assert(await staysPending(Promise.race([reading, written])));
      assertSame(await host.read(link, SIZE), theirs);
      await host.write(link, pattern(PACKET - 1, 3));
      assertSame((await reader.output).stdout, pattern(PACKET - 1, 3));
      assertEquals((await writer.output).code, 0);
      await host.write(link, pattern(60, 4));
      assertSame((await reading).value!, pattern(60, 4));
      assertSame(await host.read(link, SIZE), pattern(SIZE, 2));
      await written;
      await stream.cancel();
      await sink.close();
    }
  });
}
