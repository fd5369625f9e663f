// VM: --modules usbip-vudc,vhci-hcd,usb-storage,sd_mod, any speed, newest kernel, since Linux 7.3
/**
 * Gadgets shared over a network, attached by the kernel's own client over the
 * loopback network.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { existsSync } from "node:fs";
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  bulkPair,
  Gadget,
  readUdc,
  SessionEndedError,
  usbFunction,
} from "@usb/gadget";
import { MassStorage, memoryDisk } from "@usb/gadget/mass-storage";
import { TestHost } from "@usb/gadget/testing";
import { shareOverNetwork } from "@usb/gadget/usbip";
import { waitForNoDevice } from "../../src/testing/usbfs/find.ts";
import { pattern } from "../support/data/pattern.ts";
import { findDisk } from "../support/host/disk.ts";
import {
  Attached,
  attachedPorts,
  setUpUsbIp,
  usbip,
} from "../support/host/usbip.ts";
import { shell } from "../support/machine/shell.ts";
import { startCli } from "../support/programs/cli.ts";
import {
  firstOutput,
  startProgram,
  victimProgram,
} from "../support/programs/victim.ts";
import { soak } from "../support/run/soak.ts";
import { until } from "../support/waiting/until.ts";

await setUpUsbIp();

const MIB = 1 << 20;
const ids = (productId: number) =>
  ({ vendorId: 0x1209, productId, serialNumber: String(productId) }) as const;

function echo() {
  return usbFunction({
    name: "echo",
    interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
    async serve({ endpoints: { link } }) {
      for await (const bytes of link.transfers()) {
        await link.write(bytes, { zlp: "auto" });
      }
    },
  });
}

async function startEcho(number: 0 | 1 = 0) {
  return await Gadget.start(
    { ...ids(0x20 + number), functions: [echo()] },
    { udc: `usbip-vudc.${number}` },
  );
}

/** Sends bytes to the device and back. */
async function checkEcho(
  gadget: Awaited<ReturnType<typeof startEcho>>,
  length: number,
): Promise<void> {
  const { link } = gadget.functions.echo.endpoints;
  await using host = await TestHost.open(gadget);
  // Less than transfers() takes at once.
  const part = 50_000;
  const data = pattern(part, length);
  for (let done = 0; done < length; done += part) {
    const [back] = await Promise.all([
      host.read(link, part + 512),
      host.write(link, data),
    ]);
    assertEquals(back, data);
  }
}

Deno.test("a client lists two devices, attaches both, and gets what it sends", async () => {
  await using first = await startEcho(0);
  await using second = await startEcho(1);
  await using shared = shareOverNetwork([first, second.udc.name], { port: 0 });
  const at = ["--tcp-port", String(shared.port)];
  const list = await usbip(...at, "list", "-r", "127.0.0.1");
  assert(list.includes("usbip-vudc.0:") && list.includes("(1209:0020)"), list);
  assert(list.includes("usbip-vudc.1:") && list.includes("(1209:0021)"), list);
  {
    await using _ = await Attached.device(shared.port, "usbip-vudc.0");
    await using __ = await Attached.device(shared.port, "usbip-vudc.1");
    const size = soak(256, 2) * MIB;
    await Promise.all([checkEcho(first, size), checkEcho(second, MIB)]);
    // It is taken: a second client does not get it.
    await assertRejects(
      () => Attached.device(shared.port, "usbip-vudc.0"),
      Error,
      "usbip",
    );
    await checkEcho(first, MIB);
  }
  await waitForNoDevice(ids(0x20));
  await waitForNoDevice(ids(0x21));
  await assertRejects(() => Attached.device(shared.port, "usbip-vudc.7"));
});

Deno.test("a disk is mounted over the network", async () => {
  const size = 8 * MIB;
  const disk = memoryDisk(size);
  await using gadget = await Gadget.start(
    { ...ids(0x22), functions: [new MassStorage({ luns: [disk] })] },
    { udc: "usbip-vudc.0" },
  );
  await using shared = shareOverNetwork([gadget], { port: 0 });
  await using _ = await Attached.device(shared.port, gadget.udc.name);
  await until(() => findDisk(size) !== undefined, "there is a disk");
  const path = `/dev/${findDisk(size)}`;
  await until(() => existsSync(path), "it has a file");
  const output = await shell(`
    mkfs.ext4 -q ${path}
    mkdir -p /tmp/shared
    mount ${path} /tmp/shared
    head -c 2000000 /dev/urandom > /tmp/random
    cp /tmp/random /tmp/shared/file
    umount /tmp/shared
    mount ${path} /tmp/shared
    cmp /tmp/random /tmp/shared/file && echo same
    umount /tmp/shared`);
  assertEquals(output, "same\n");
});

/** A network that can be cut: a port that leads to another one. */
class Cable implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #target: number;
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #running: Promise<void>;

  constructor(target: number) {
    this.#target = target;
    this.#running = this.#run();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Ends all connections. */
  cut(): void {
    for (const each of this.#connections) each.close();
    this.#connections.clear();
  }

  async #run(): Promise<void> {
    for await (const client of this.#listener) {
      const server = await Deno.connect({ port: this.#target });
      for (const each of [client, server]) this.#connections.add(each);
      const ignore = () => {};
      client.readable.pipeTo(server.writable).catch(ignore);
      server.readable.pipeTo(client.writable).catch(ignore);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#listener.close();
    await this.#running;
  }
}

Deno.test({
  name:
    "a connection that is cut in the middle of data is a cable that is unplugged, and the device can be attached again",
  // The pipes of the cable end a moment after it is cut.
  sanitizeOps: false,
  async fn() {
    const ends: string[] = [];
    const gadget = await Gadget.start({
      ...ids(0x23),
      functions: [usbFunction({
        name: "source",
        interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
        async serve({ endpoints: { link } }) {
          try {
            for (;;) await link.write(pattern(65536));
          } catch (error) {
            if (!(error instanceof SessionEndedError)) throw error;
            ends.push(error.reason);
            throw error;
          }
        },
      })],
    }, { udc: "usbip-vudc.0" });
    await using _ = gadget;
    await using shared = shareOverNetwork([gadget], { port: 0 });
    await using cable = new Cable(shared.port);
    for (let round = 0; round < soak(50, 4); round++) {
      await usbip(
        ...["--tcp-port", String(cable.port), "attach"],
        ...["-r", "127.0.0.1", "-b", "usbip-vudc.0"],
      );
      {
        await using host = await TestHost.open(gadget);
        const { link } = gadget.functions.source.endpoints;
        assertEquals(await host.read(link, 65536), pattern(65536));
        const reading = host.read(link, 1 << 20).catch((error) => error);
        cable.cut();
        assert(await reading instanceof Error);
      }
      await until(() => attachedPorts().length === 0, "the client is free");
      await until(() => ends.length > round, "the session has ended");
      await waitForNoDevice(ids(0x23));
    }
  },
});

Deno.test("a client that may not gets nothing, and one that may gets the device", async () => {
  await using gadget = await startEcho();
  let allowed = false;
  const peers: string[] = [];
  const errors: unknown[] = [];
  await using shared = shareOverNetwork([gadget], {
    port: 0,
    authenticate: ({ address, port }) => {
      peers.push(address);
      if (port === 0) throw new Error("no port");
      return allowed;
    },
    onError: (error) => errors.push(error),
  });
  const DEVLIST = Uint8Array.fromHex("0111800500000000");
  const ask = async (bytes: Uint8Array<ArrayBuffer>) => {
    using connection = await Deno.connect({ port: shared.port });
    await connection.write(bytes);
    // A reset, if it is closed before it has read what came.
    return await new Response(connection.readable).bytes().catch(() =>
      new Uint8Array(0)
    );
  };
  assertEquals((await ask(DEVLIST)).length, 0);
  await assertRejects(() => Attached.device(shared.port, "usbip-vudc.0"));
  allowed = true;
  assertEquals((await ask(DEVLIST)).length, 12 + 312);
  // What is no request, or asks for nothing that is shared.
  assertEquals((await ask(pattern(8))).length, 0);
  const other = new Uint8Array(40);
  other.set(Uint8Array.fromHex("0111800300000000"));
  assertEquals((await ask(other)).toHex(), "0111000300000004");
  await using _ = await Attached.device(shared.port, "usbip-vudc.0");
  await checkEcho(gadget, 1000);
  assertEquals(new Set(peers), new Set(["127.0.0.1"]));
  assertEquals(errors, []);
});

Deno.test("a process that is killed while a client has its device leaves the kernel alive, and the next one shares", async () => {
  for (let round = 0; round < soak(50, 2); round++) {
    const program = startProgram(victimProgram(`
      const gadget = await start({ udc: "usbip-vudc.0" });
      await gadget.functions.victim.enabled();
      console.log("enabled");
      await gadget.functions.victim.endpoints.link.read(100);`));
    await until(
      () => readUdc("usbip-vudc.0").driver !== "",
      "the gadget is bound",
    );
    await using shared = shareOverNetwork(["usbip-vudc.0"], { port: 0 });
    await using _ = await Attached.device(shared.port, "usbip-vudc.0");
    await firstOutput(program);
    program.kill("SIGKILL");
    await program.status;
    await program.stdout.cancel();
    assertEquals((await Gadget.cleanUp()).length, 1);
    await until(() => attachedPorts().length === 0, "the client is free");
  }
  await using gadget = await startEcho();
  await using shared = shareOverNetwork([gadget], { port: 0 });
  await using _ = await Attached.device(shared.port, "usbip-vudc.0");
  await checkEcho(gadget, 1000);
});

Deno.test("a gadget that was not started for USB/IP does not get there", async () => {
  const definition = { ...ids(0x24), functions: [echo()] };
  await using gadget = await Gadget.start(definition, { bind: false });
  await assertRejects(
    () => gadget.bind({ udc: "usbip-vudc.0" }),
    Deno.errors.NotSupported,
    'give Gadget.start() the option udc: "usbip-vudc.0"',
  );
});

Deno.test("the end of the sharing takes the device from its client", async () => {
  await using gadget = await startEcho();
  const shared = shareOverNetwork([gadget], { port: 0 });
  await using _ = await Attached.device(shared.port, "usbip-vudc.0");
  await checkEcho(gadget, 1000);
  await shared.close();
  await waitForNoDevice(ids(0x20));
  await until(() => attachedPorts().length === 0, "the client is free");
  await assertRejects(() => Deno.connect({ port: shared.port }));
  assertEquals(gadget.bound, true);
});

Deno.test("the command share offers the gadgets of other processes", async () => {
  await using gadget = await startEcho();
  await using command = startCli("share", "--port", "3241", gadget.name);
  const port = 3241..toString(16).toUpperCase();
  await until(
    () => Deno.readTextFileSync("/proc/net/tcp").includes(`:0${port} `),
    "the command listens",
  );
  await using _ = await Attached.device(3241, "usbip-vudc.0");
  await checkEcho(gadget, 1000);
  const { status, text } = await command.end("SIGTERM");
  assertEquals(status.code, 0);
  assertEquals(
    text,
    `Listening at 127.0.0.1, port 3241. Where the device is wanted:
  usbip --tcp-port 3241 attach -r 127.0.0.1 -b usbip-vudc.0
`,
  );
  await waitForNoDevice(ids(0x20));
});
