/**
 * The cable between a gadget and its host.
 *
 * @module
 */
import type { Gadget } from "@usb/gadget";
import { writeFile } from "../../../ffi/file.ts";

/** Takes the gadget away from its host, as if the cable was unplugged. */
export function unplug(gadget: Gadget): void {
  writeFile(`/sys/kernel/config/usb_gadget/${gadget.name}/UDC`, "\n");
}

/** Plugs an unplugged gadget in again. */
export function plug(gadget: Gadget, udc: string): void {
  writeFile(`/sys/kernel/config/usb_gadget/${gadget.name}/UDC`, udc);
}
