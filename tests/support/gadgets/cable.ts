/**
 * The cable between a gadget and its host.
 *
 * @module
 */
import type { Gadget } from "@usb/gadget";
import { writeFile } from "../../../ffi/file.ts";

/** Detaches the gadget from its host, as if the cable were unplugged. */
export function unplug(gadget: Gadget): void {
  writeFile(`/sys/kernel/config/usb_gadget/${gadget.name}/UDC`, "\n");
}

/** Attaches an unplugged gadget again. */
export function plug(gadget: Gadget, udc: string): void {
  writeFile(`/sys/kernel/config/usb_gadget/${gadget.name}/UDC`, udc);
}
