// VM: a class of device
/**
 * A host that sends anything: the device answers or halts, lives on, and changes
 * nothing outside its storage.
 *
 * GADGET_SEED=N sends the same as a run that has printed N.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { directoryStore } from "@usb/gadget/mtp";
import {
  EventCode,
  ObjectFormat,
  OperationCode,
} from "../../src/classes/mtp/protocol/codes.ts";
import {
  encodeHeader,
  HEADER_SIZE,
} from "../../src/classes/mtp/protocol/container.ts";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import { Random } from "../support/data/random.ts";
import { testSeed } from "../support/data/seed.ts";
import { makeImageFolder } from "../support/gadgets/storage_bench.ts";
import type { MtpHost } from "../support/host/mtp_host.ts";
import { shell } from "../support/machine/shell.ts";
import { announcement } from "../support/mtp/announcement.ts";
import { announce, sendFile, startMtp } from "../support/mtp/bus_bench.ts";
import { soak } from "../support/run/soak.ts";

const OPERATIONS = Object.values(OperationCode);
/** They would end the session that the test needs. */
const LEFT_OUT: readonly number[] = [
  OperationCode.OpenSession,
  OperationCode.CloseSession,
];
const PATIENCE = { timeout: 50 };

/** A container in which anything can be wrong. */
function randomContainer(random: Random): Uint8Array<ArrayBuffer> {
  const size = random.pick([
    0,
    random.int(0, 11),
    random.int(12, 40),
    random.int(12, 40),
    random.int(12, 2000),
    random.pick([52, 64, 128, 500, 512, 1012, 1024, 4096]),
  ]);
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at++) bytes[at] = random.int(0, 255);
  if (size < HEADER_SIZE) return bytes;
  const code = random.pick([...OPERATIONS, random.int(0, 0xffff)]);
  const length = random.pick([
    ...[size, size, size, size],
    ...[0, 11, size + 1, size - 1, size + random.int(1, 5000)],
    ...[0x7fff_ffff, 0xffff_ffff],
  ]);
  encodeHeader(bytes, {
    length,
    type: random.pick([1, 1, 1, 1, 2, 2, 3, 4, random.int(0, 0xffff)]),
    code: LEFT_OUT.includes(code) ? EventCode.StoreFull : code,
    transactionId: random.pick([0, 1, random.int(0, 0xffff_ffff)]),
  });
  return bytes;
}

/** Takes whatever the device sends, until it sends nothing. */
async function drain(host: MtpHost): Promise<void> {
  for (;;) {
    try {
      await host.pipe.receive(1 << 20, PATIENCE);
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code !== "EPIPE") return;
      await host.pipe.clearHalt();
    }
  }
}

/** What lies beside the storage, which no host may reach. */
const SECRET = "outside of the storage";

async function makeStorage(path: string): Promise<string> {
  const storage = `${path}/storage`;
  await shell(`
    mkdir -p ${storage}/folder ${path}/other
    echo -n "${SECRET}" >${path}/secret
    echo -n "${SECRET}" >${path}/other/secret
    ln -s ../secret ${storage}/link
    ln -s ../other ${storage}/folder/link
    echo text >${storage}/file`);
  return storage;
}

async function checkOutside(path: string): Promise<void> {
  const found = await shell(
    `cd ${path}; ls -A . other; cat secret other/secret`,
  );
  assertEquals(
    found.trim(),
    `.:\nother\nsecret\nstorage\n\nother:\nsecret\n${SECRET}${SECRET}`,
  );
}

Deno.test("a device survives containers with anything in them", async () => {
  const seed = testSeed();
  const random = new Random(seed);
  await using folder = await makeImageFolder();
  const storage = await makeStorage(folder.path);
  await using bench = await startMtp(directoryStore(storage));
  const { host } = bench;
  let memory = 0;
  const rounds = soak(20, 6);
  for (let round = 0; round < rounds; round++) {
    const where = `seed ${seed}, round ${round}`;
    for (let count = 0; count < soak(1000, 50); count++) {
      const bytes = randomContainer(random);
      try {
        await host.pipe.send(bytes, random.chance(), PATIENCE);
      } catch (error) {
        // Its reads stand as soon as it has handled what came before.
        const { code } = error as { code?: unknown };
        assert(code === "ETIMEDOUT" || code === "ENOENT", `${where}: ${error}`);
      }
      if (random.chance(0.2)) await drain(host);
    }
    await host.reset();
    await drain(host);
    host.transaction = 1;
    await host.pass(OperationCode.OpenSession, [1]);
    const bytes = pattern(random.int(1, 100_000), round);
    const handle = await sendFile(host, `sent ${round}`, bytes);
    const data = await host.pass(OperationCode.GetObject, [handle]);
    assertEquals(firstDifference(data, bytes), -1, where);
    await host.pass(OperationCode.DeleteObject, [handle]);
    await checkOutside(folder.path);
    if (round === rounds >> 1) memory = Deno.memoryUsage().rss;
  }
  const growth = Deno.memoryUsage().rss - memory;
  assert(growth < 64 << 20, `memory has grown by ${growth} bytes`);
  assertEquals(bench.errors, []);
});

Deno.test("no name leads out of the storage", async () => {
  await using images = await makeImageFolder();
  const storage = await makeStorage(images.path);
  await using bench = await startMtp(directoryStore(storage));
  const { host } = bench;
  const handle = await sendFile(host, "mine", pattern(10));
  const names = ["", ".", "..", "../secret", "a/b", "/etc/x", "a\0b"];
  for (const name of names) {
    for (const format of [ObjectFormat.Undefined, ObjectFormat.Association]) {
      const { response } = await announce(host, name, 3, format);
      // NUL ends a name.
      const isCut = name === "a\0b";
      assertEquals(response === "OK", isCut, JSON.stringify(name));
      if (isCut && format === ObjectFormat.Undefined) {
        await host.pass(OperationCode.SendObject, [], { send: pattern(3) });
      }
      if (isCut) await shell(`rm -rf ${storage}/a`);
    }
  }
  // A link is not shown, but its name is taken.
  await announce(host, "link", 3);
  const sent = await host.run(OperationCode.SendObject, [], {
    send: pattern(3),
  });
  assertEquals(sent.response, "Access_Denied");
  const folder = await announce(host, "link", 0, ObjectFormat.Association);
  assertEquals(folder.response, "Access_Denied");
  // A file is not a folder, and an unknown one is none.
  for (const parent of [handle, 0x7000_0000]) {
    const { response } = await host.run(OperationCode.SendObjectInfo, [
      0x10001,
      parent,
    ], { send: announcement({ name: "in it" }).data });
    assertEquals(response, "Invalid_ParentObject");
  }
  await checkOutside(images.path);
});
