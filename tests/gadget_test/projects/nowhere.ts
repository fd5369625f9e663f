/**
 * Tests for a machine that cannot run them.
 *
 * @module
 */
import { usbFunction } from "@usb/gadget";
import { gadgetTest } from "@usb/gadget/testing";

const device = {
  vendorId: 0x1209,
  productId: 0x0001,
  functions: [usbFunction({ name: "idle", interfaces: [{ class: 0xff }] })],
} as const;

gadgetTest("has to run", device, () => {});
gadgetTest("may be left out", device, () => {}, { ifUnavailable: "ignore" });
