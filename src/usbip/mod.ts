/**
 * Gadgets for hosts on a network, by the kernel's own USB/IP.
 *
 * @example
 * ```ts ignore
 * import { Gadget } from "@usb/gadget";
 * import { shareOverNetwork } from "@usb/gadget/usbip";
 *
 * // modprobe usbip-vudc
 * await using gadget = await Gadget.start(definition, { udc: "usbip-vudc.0" });
 * await using shared = shareOverNetwork([gadget]);
 * // usbip attach -r 127.0.0.1 -b usbip-vudc.0
 * ```
 *
 * @module
 */
export {
  type SharedGadgets,
  type ShareOptions,
  shareOverNetwork,
  type UsbIpPeer,
} from "./share.ts";
