/**
 * State that class requests set, and that ends with the connection.
 *
 * @module
 */
// VM: any speed
import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { controlRoutes } from "@usb/gadget";
import { hidRequests } from "@usb/gadget/hid";
import { plug, unplug } from "../support/gadgets/cable.ts";
import { startControl } from "../support/gadgets/control.ts";
import { until } from "../support/waiting/until.ts";

Deno.test("a HID function is in report protocol again after a reset and an unplugged cable", async () => {
  const heard: string[] = [];
  const options = {
    onProtocol: (protocol: string) => void heard.push(protocol),
    onIdle: (milliseconds: number) => void heard.push(String(milliseconds)),
  };
  await using it = await startControl({
    control: controlRoutes(hidRequests(options)),
  });
  const CLASS = { type: "class", recipient: "interface" } as const;
  const state = async () => [
    ...await it.host.controlIn({ ...CLASS, request: 3, length: 1 }),
    ...await it.host.controlIn({ ...CLASS, request: 2, length: 1 }),
  ];
  const leaves = [
    () => it.host.reset(),
    async () => {
      const { name } = it.gadget.udc;
      unplug(it.gadget);
      await until(() => it.fs.state === "unbound", "the cable is unplugged");
      plug(it.gadget, name);
      await it.connect();
    },
  ];
  for (const leave of leaves) {
    assertEquals(await state(), [1, 0]);
    await it.host.controlOut({ ...CLASS, request: 11, value: 0 });
    await it.host.controlOut({ ...CLASS, request: 10, value: 0x0300 });
    assertEquals(await state(), [0, 3]);
    assertEquals(heard.splice(0), ["boot", "12"]);
    await leave();
    // Before the host asks anything.
    await until(() => heard.length === 2, "the function is back at defaults");
    assertEquals(heard.splice(0), ["report", "0"]);
    await it.fs.enabled();
    assertEquals(await state(), [1, 0]);
  }
});
