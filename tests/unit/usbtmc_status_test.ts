import { assertEquals } from "@std/assert";
import { Usbtmc } from "@usb/gadget/usbtmc";
import { serveUsbtmc } from "../support/gadgets/usbtmc_bench.ts";
import { Request } from "../support/host/usbtmc_host.ts";
import { until } from "../support/waiting/until.ts";

const onCommand = (text: string) => text;

Deno.test("capabilities are those of the options", async () => {
  const capabilities = async (options: object) => {
    await using bench = serveUsbtmc({ onCommand, ...options });
    const bytes = await bench.host.control(Request.GET_CAPABILITIES);
    return [bytes.length, bytes[0], bytes[4], bytes[5], bytes[14], bytes[15]];
  };
  assertEquals(await capabilities({}), [24, 1, 0, 1, 2, 6]);
  assertEquals(
    await capabilities({ onTrigger() {}, onIndicatorPulse() {} }),
    [24, 1, 4, 1, 3, 7],
  );
  await using bench = serveUsbtmc({ onCommand });
  const bytes = await bench.host.control(Request.GET_CAPABILITIES);
  // Versions 1.00
  assertEquals([...bytes.slice(2, 4), ...bytes.slice(12, 14)], [0, 1, 0, 1]);
});

Deno.test("the status byte comes on the interrupt endpoint, with a bit for a response", async () => {
  let own = 0x81;
  await using bench = serveUsbtmc({ onCommand, statusByte: () => own });
  const { host } = bench;
  assertEquals(await host.status(2), 0x81);
  await host.write("a");
  own = 0x08;
  assertEquals(await host.status(127), 0x18);
  await host.read();
  assertEquals(await host.status(3), 0x08);
  // The package's bits are not the program's.
  own = 0xff;
  assertEquals(await host.status(3), 0xaf);
});

Deno.test("a status byte that a host has not read does not reach the next one", async () => {
  await using bench = serveUsbtmc({ onCommand });
  const { host } = bench;
  for (const tag of [2, 3, 4]) {
    await host.control(Request.READ_STATUS_BYTE, tag, 3);
  }
  assertEquals(await host.status(5), 0);
});

Deno.test("a status byte with a tag that means something else is refused", async () => {
  await using bench = serveUsbtmc({ onCommand });
  for (const tag of [0, 1, 128]) {
    assertEquals(
      await bench.host.control(Request.READ_STATUS_BYTE, tag, 3),
      [0x80, 0, 0],
    );
  }
  assertEquals(await bench.host.status(), 0);
});

Deno.test("a service request is sent once, and ends when the status byte is read", async () => {
  let own = 1;
  await using bench = serveUsbtmc({ onCommand, statusByte: () => own });
  const { device, host } = bench;
  device.requestService();
  assertEquals(await host.notification(), [0x81, 0x41]);
  assertEquals(await host.status(), 0x41);
  assertEquals(await host.status(), 0x01);
  // The last one takes the place of those that the host has not read, and comes
  // before a status byte that the host asks for later.
  device.requestService();
  own = 2;
  device.requestService();
  await host.control(Request.READ_STATUS_BYTE, 9, 3);
  assertEquals(await host.notification(), [0x81, 0x42]);
  assertEquals(await host.notification(), [0x89, 0x42]);
});

Deno.test("a service request has no effect without a host, nor on the next one", async () => {
  const device = new Usbtmc({ onCommand });
  device.requestService();
  await using bench = serveUsbtmc(device as Usbtmc);
  assertEquals(await bench.host.status(), 0);
  device.requestService();
  await bench.reconnect();
  assertEquals(await bench.host.status(), 0);
});

Deno.test("the host takes the control with a message, and returns it", async () => {
  const states: string[] = [];
  await using bench = serveUsbtmc({
    onCommand,
    onRemote: (state) => states.push(state),
  });
  const { device, host } = bench;
  await host.control(Request.LOCAL_LOCKOUT);
  await host.ask("a");
  assertEquals(device.remote, "local");
  assertEquals(await host.control(Request.REN_CONTROL, 1), [1]);
  assertEquals(device.remote, "local");
  await host.ask("a");
  assertEquals(device.remote, "remote");
  await host.control(Request.LOCAL_LOCKOUT);
  await host.control(Request.GO_TO_LOCAL);
  await host.ask("a");
  await host.control(Request.REN_CONTROL, 0);
  assertEquals(states, [
    "remote",
    "remote lockout",
    "local lockout",
    "remote lockout",
    "local",
  ]);
  await host.control(Request.REN_CONTROL, 1);
  await host.ask("a");
  await bench.reconnect();
  assertEquals(device.remote, "local");
});

Deno.test("triggers are handled in their order among messages", async () => {
  const order: string[] = [];
  await using bench = serveUsbtmc({
    async onCommand(text) {
      await new Promise((resolve) => setTimeout(resolve));
      order.push(text);
      return text;
    },
    onTrigger() {
      order.push("trigger");
      if (order.length > 3) throw new Error("not armed");
    },
  });
  const { host } = bench;
  await host.write("a");
  await host.trigger();
  await host.write("b");
  await host.trigger();
  await until(() => order.length === 4, "two triggers");
  assertEquals(order, ["a", "trigger", "b", "trigger"]);
  assertEquals((await host.read()).text, "b\n");
  assertEquals(bench.takeReported(), ["Error: not armed"]);
});

Deno.test("INDICATOR_PULSE calls the program, or does not exist", async () => {
  let pulses = 0;
  await using bench = serveUsbtmc({
    onCommand,
    onIndicatorPulse: () => void pulses++,
  });
  assertEquals(await bench.host.control(Request.INDICATOR_PULSE), [1]);
  assertEquals(pulses, 1);
  await using other = serveUsbtmc({ onCommand });
  assertEquals(await other.host.control(Request.INDICATOR_PULSE), "stall");
});
