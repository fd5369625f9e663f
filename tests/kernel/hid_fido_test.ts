// VM: --modules usbhid,hid-generic,evdev --processors 1, a class of device
/**
 * Security keys, with the kernel's usbhid and hidraw as the host, and the tools of
 * libfido2.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Gadget } from "@usb/gadget";
import { CtapHid, type CtapRequest } from "@usb/gadget/hid";
import { pattern } from "../support/data/pattern.ts";
import { reportedErrors } from "../support/gadgets/reported_errors.ts";
import {
  BROADCAST,
  CANCEL,
  CBOR,
  codeOf,
  CtapHost,
  KEEPALIVE,
  packetsOf,
  PING,
} from "../support/host/ctap.ts";
import { findHidraw, Hidraw, waitForHidraw } from "../support/host/hidraw.ts";
import { gadgetTraces } from "../support/machine/leftovers.ts";
import { startExample } from "../support/programs/example.ts";
import { gadgetSpeed } from "../support/run/speed.ts";
import { until } from "../support/waiting/until.ts";
import { UsbfsDevice } from "../../src/testing/usbfs/device.ts";

const ids = { vendorId: 0x1209, productId: 0x0001 };
const INVALID_SEQ = 4;
const CHANNEL_BUSY = 6;
const INVALID_CHANNEL = 11;
const OTHER = 127;
const KEEPALIVE_CANCEL = 0x2d;

/** Runs fido2-token, and returns its output. */
async function token(...args: string[]): Promise<string> {
  // Asynchronous: the device may be in this process.
  const { success, stdout, stderr } = await new Deno.Command("fido2-token", {
    args,
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout);
  assert(success, `fido2-token ${args}: ${text}${decoder.decode(stderr)}`);
  return text;
}

/**
 * Starts a key, and runs a test with a function that opens it, as another program
 * on the host would.
 */
async function withKey(
  key: CtapHid,
  test: (
    open: () => Promise<CtapHost>,
    errors: readonly unknown[],
  ) => Promise<void>,
): Promise<void> {
  // The device of an earlier test may still be there.
  await until(() => findHidraw(ids) === undefined, "the host has no key");
  const gadget = await Gadget.start({
    ...ids,
    product: "Security key",
    maxSpeed: gadgetSpeed().maxSpeed,
    functions: [key],
  });
  const { errors } = reportedErrors(gadget.functions[key.name].events);
  const files: Hidraw[] = [];
  try {
    const path = await waitForHidraw(ids);
    const open = async () => {
      const host: CtapHost = new CtapHost((packet) => file.write(packet));
      const file = await Hidraw.open(path, (report) => host.take(report));
      files.push(file);
      return host;
    };
    await test(open, errors);
  } finally {
    await gadget.stop();
    await Promise.all(files.map((file) => file.close()));
  }
}

Deno.test("examples/fido.ts is a security key for fido2-token", async () => {
  const before = gadgetTraces();
  {
    await using program = startExample("fido.ts");
    const path = await waitForHidraw(ids);
    assertMatch(
      await token("-L"),
      new RegExp(`^${path}: vendor=0x1209, product=0x0001 \\(.*\\)$`, "m"),
    );
    const information = await token("-I", path);
    for (
      const line of [
        /^proto: 0x02$/m,
        /^caps: 0x0c \(nowink, cbor, nomsg\)$/m,
        /^version strings: FIDO_2_0$/m,
        /^aaguid: 676164676574206578616d706c652031$/m,
        /^options: nork, up$/m,
        /^maxmsgsiz: 1200$/m,
      ]
    ) {
      assertMatch(information, line);
    }
    assertEquals((await program.end("SIGINT")).text, "");
  }
  assertEquals(gadgetTraces(), before);
});

Deno.test("7609 bytes go both ways, and a wrong sequence number is an error", async () => {
  const key = new CtapHid({
    onMessage: (cbor) => cbor.toReversed(),
    deviceVersion: [3, 2, 1],
  });
  await withKey(key, async (open) => {
    const host = await open();
    const response = await host.init();
    assertEquals([...response.slice(12)], [2, 3, 2, 1, 0x0c]);
    const channel = new DataView(response.buffer).getUint32(8);
    const data = pattern(7609);
    assertEquals((await host.ask(channel, PING, data)).data, data);
    assertEquals((await host.ask(channel, CBOR, data)).data, data.toReversed());

    const packets = packetsOf(channel, PING, data);
    await host.write(packets[0], packets[2]);
    assertEquals(codeOf(await host.answer(channel)), INVALID_SEQ);
    assertEquals((await host.ask(channel, PING, data)).data, data);
    assertEquals(await host.failure(BROADCAST, PING), INVALID_CHANNEL);
    assertEquals(host.messages, []);
  });
});

Deno.test("a request is kept alive, and cancelled", async () => {
  const requests: CtapRequest[] = [];
  const key = new CtapHid({
    onMessage: async (_, request) => {
      requests.push(request);
      const { signal } = request;
      request.setStatus("user presence");
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      throw requests.length === 1 ? signal.reason : new Error("mine");
    },
  });
  await withKey(key, async (open, errors) => {
    const host = await open();
    const channel = await host.open();
    for (const round of [1, 2]) {
      host.messages.length = 0;
      await host.send(channel, CBOR, Uint8Array.of(1));
      for (let n = 0; n < 3; n++) {
        const alive = await host.next(({ command }) => command === KEEPALIVE);
        assertEquals([alive.channel, ...alive.data], [channel, 2]);
      }
      assertEquals(requests.length, round);
      await host.send(channel, CANCEL, new Uint8Array(0));
      const answer = await host.answer(channel);
      if (round === 1) {
        assertEquals([...answer.data], [KEEPALIVE_CANCEL]);
      } else {
        assertEquals(codeOf(answer), OTHER);
        assertEquals(errors.map(String), ["Error: mine"]);
      }
    }
  });
});

Deno.test("two programs have a channel each, and one transaction at a time", async () => {
  let finish: ((response: Uint8Array) => void) | undefined;
  const key = new CtapHid({
    onMessage: () => new Promise((resolve) => finish = resolve),
  });
  await withKey(key, async (open) => {
    const [first, second] = [await open(), await open()];
    const [one, two] = await Promise.all([first.open(), second.open()]);
    assert(one !== two);
    await first.send(one, CBOR, Uint8Array.of(1));
    await until(() => finish !== undefined, "the key works");
    assertEquals(await second.failure(two, PING), CHANNEL_BUSY);
    assertEquals(await first.failure(one, PING), CHANNEL_BUSY);
    finish?.(Uint8Array.of(0, 1));
    assertEquals([...(await first.answer(one)).data], [0, 1]);

    // Packets of two messages, in turn: the one that began first is answered.
    const ones = packetsOf(one, PING, pattern(1000, 1));
    const twos = packetsOf(two, PING, pattern(1000, 2));
    for (const [index, packet] of ones.entries()) {
      await first.write(packet);
      if (index < ones.length - 1) await second.write(twos[index]);
    }
    assertEquals(codeOf(await second.answer(two)), CHANNEL_BUSY);
    assertEquals((await first.answer(one)).data, pattern(1000, 1));
    const { data } = await second.ask(two, PING, pattern(1000, 2));
    assertEquals(data, pattern(1000, 2));
  });
});

Deno.test("a reset of the bus ends channels and requests", async () => {
  const requests: CtapRequest[] = [];
  const key = new CtapHid({
    onMessage: (_, request) => {
      requests.push(request);
      return new Promise((_, reject) => {
        const { signal } = request;
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    },
  });
  await withKey(key, async (open) => {
    const host = await open();
    const channel = await host.open();
    await host.send(channel, CBOR, Uint8Array.of(1));
    await until(() => requests.length === 1, "the key works");
    {
      await using device = await UsbfsDevice.find(ids);
      await device.reset();
    }
    await until(() => requests[0].signal.aborted, "the key has noticed");
    assertEquals(await host.failure(channel, PING), INVALID_CHANNEL);
    const next = await host.open();
    assertEquals((await host.ask(next, PING, pattern(100))).data, pattern(100));
  });
});
