/**
 * Whether browsers will look at the landing page of a gadget.
 *
 * Chromium asks devices for it whose `bcdUSB` is 2.10 or more. The kernel sets that field itself
 * (`composite_setup()`): 2.01 for a device with WebUSB on a controller that is not for super speed.
 *
 * @module
 */
import type { GadgetDefinition } from "../../definition/gadget.ts";
import { listUdcs, type Udc } from "./udc.ts";

/** Gadgets and controllers of which it was said. */
const said = new WeakMap<GadgetDefinition, string>();

/**
 * Prints a warning, once for a definition on a controller, where no browser will open the page.
 *
 * @param name The name of the gadget.
 * @param udc The controller that it was bound to.
 */
export function warnOfLandingPage(
  name: string,
  definition: GadgetDefinition,
  udc: string,
): void {
  if (!definition.webUsb?.landingPage || said.get(definition) === udc) return;
  said.set(definition, udc);
  const controller = listUdcs().find((it) => it.name === udc);
  const warning = controller &&
    landingPageWarning(name, definition, controller);
  if (warning !== undefined) console.warn(warning);
}

/** What is to be said about a landing page on a controller, if anything. */
export function landingPageWarning(
  name: string,
  { webUsb }: GadgetDefinition,
  udc: Pick<Udc, "name" | "maximumSpeed">,
): string | undefined {
  if (!webUsb?.landingPage || /^super-speed/.test(udc.maximumSpeed)) return;
  return `Gadget "${name}": Chromium ignores the landing page on UDC "${udc.name}" (${udc.maximumSpeed}), because Linux reports USB 2.01 there and Chromium needs 2.10: use a super-speed controller, or leave "webUsb" out, without which pages can open the device as well`;
}
