/**
 * A test at each speed on two kernels, and a second one.
 *
 * @module
 */
import { bulkPair, usbFunction } from "@usb/gadget";
import { gadgetTest } from "@usb/gadget/testing";
import { assertEquals } from "@std/assert";
import { answer } from "./answer.ts";

const device = {
  vendorId: 0x1209,
  productId: 0x0001,
  functions: [usbFunction({
    name: "asked",
    interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
    async serve({ endpoints: { link } }) {
      for (;;) await link.write(answer(await link.read(1024)));
    },
  })],
} as const;
const places = {
  speeds: ["full", "high", "super"],
  kernels: ["7.3", "6.12"],
} as const;

gadgetTest("answers", device, async ({ gadget, host }) => {
  const { link } = gadget.functions.asked.endpoints;
  const boot = Deno.readTextFileSync("/proc/sys/kernel/random/boot_id");
  console.log(`${Deno.osRelease()} ${host.speed} ${boot.trim()}`);
  await host.write(link, new Uint8Array([1]));
  assertEquals(await host.read(link, 1024), new Uint8Array([2]));
}, places);

gadgetTest("sees what this process sees", device, () => {
  console.log(Deno.args.join(), Deno.env.get("ANSWER"), Deno.uid());
});

Deno.test("an ordinary test runs in its own process", () => {
  console.log(`uid ${Deno.uid()}`);
});
