/**
 * The BOS descriptor of a device.
 *
 * @module
 */
import { hex } from "../../arguments/show.ts";
import type { WebUsbOptions } from "../../definition/gadget.ts";
import { DescriptorType } from "../../usb/descriptor_type.ts";
import { splitDescriptors, u16 } from "../decode_descriptors.ts";
import type { DeviceProblems } from "./problems.ts";

/** Types of capabilities that the kernel writes itself (USB 3.2 table 9-14). */
const KERNEL_CAPABILITIES: ReadonlySet<number> = new Set([0x02, 0x03, 0x0a]);
const PLATFORM = 0x05;
/** UUIDs of platform capabilities, in the byte order of the bus. */
const WEBUSB = "38b60834a909a0478bfda0768815b665";
const MICROSOFT_OS_2 = "df60ddd88945c74c9cd2659d9e648a9f";
const WEBUSB_LENGTH = 24;

/** Returns what the capabilities of a device become. */
export function bosFields(
  bos: Uint8Array,
  problems: DeviceProblems,
): { readonly webUsb?: WebUsbOptions } {
  let webUsb: WebUsbOptions | undefined;
  for (const bytes of splitDescriptors(bos)) {
    const [length, type, capability] = bytes;
    if (type === DescriptorType.BOS) continue;
    const at = { place: `BOS, capability ${hex(capability ?? 0)}` };
    const uuid = bytes.subarray(4, 20).toHex();
    if (KERNEL_CAPABILITIES.has(capability)) {
      problems.changed(at, "bos", "The kernel writes this capability itself");
    } else if (
      capability === PLATFORM && uuid === WEBUSB && length === WEBUSB_LENGTH
    ) {
      const [vendorCode, page] = bytes.subarray(22);
      webUsb = { version: u16(bytes, 20), vendorCode };
      if (page === 0) continue;
      problems.leftOut(
        at,
        "landing-page",
        `The landing page is in no descriptor: read URL ${page} with request ${
          hex(vendorCode)
        } of the device, and set "webUsb.landingPage"`,
      );
    } else if (capability === PLATFORM && uuid === MICROSOFT_OS_2) {
      problems.leftOut(
        at,
        "bos",
        'configfs has Microsoft OS descriptors 1.0 only: use "microsoftOs" and the features of functions',
      );
    } else {
      problems.leftOut(at, "bos", "The kernel has no such capability");
    }
  }
  return webUsb ? { webUsb } : {};
}
