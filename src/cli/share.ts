/**
 * Shares gadgets of other processes over a network.
 *
 * @module
 */
import { Errno, errorOf } from "../../ffi/errno.ts";
import { listUdcs, USB_IP_DRIVER } from "../gadget/udc/udc.ts";
import { USB_IP_PORT } from "../usbip/protocol.ts";
import { shareOverNetwork } from "../usbip/share.ts";
import type { Answer, GivenOptions } from "./command.ts";
import { listGadgets } from "./inventory.ts";

/**
 * Shares gadgets by USB/IP until the process ends.
 *
 * @param names Gadgets, or controllers of USB/IP; all controllers by default.
 * @throws {Deno.errors.NotFound} If there is no such gadget or controller.
 */
export function share(
  names: readonly string[],
  options: GivenOptions,
): Answer {
  const controllers = names.length > 0
    ? names.map(controllerOf)
    : listUdcs().filter((it) => it.controllerDriver === USB_IP_DRIVER)
      .map((it) => it.name);
  if (controllers.length === 0) {
    throw missing(
      'Cannot share gadgets: there is no controller for USB/IP: run "sudo modprobe usbip-vudc", and start a gadget on usbip-vudc.0',
    );
  }
  const shared = shareOverNetwork(controllers, {
    allAddresses: options["all-addresses"] === true,
    ...(typeof options.address === "string"
      ? { address: options.address }
      : {}),
    ...(typeof options.port === "string"
      ? { port: Number(options.port || NaN) }
      : {}),
  });
  const { address, port } = shared;
  const lines = controllers.map((it) =>
    `  usbip${
      port === USB_IP_PORT ? "" : ` --tcp-port ${port}`
    } attach -r ${address} -b ${it}`
  );
  return {
    text:
      `Listening at ${address}, port ${port}. Where the device is wanted:\n${
        lines.join("\n")
      }`,
    json: { address, port, controllers },
    code: 0,
    stays: true,
    // The kernel has the connections: without this, clients keep the devices.
    end: () => shared.close(),
  };
}

/** The controller that a name means: a gadget's, or itself. */
function controllerOf(name: string): string {
  const gadget = listGadgets().find((it) => it.name === name);
  if (gadget === undefined) return name;
  if (gadget.udc !== "") return gadget.udc;
  throw missing(`Cannot share gadget "${name}": it is not on a controller`);
}

function missing(message: string): Error {
  return errorOf(Errno.ENOENT, message, { syscall: "access" });
}
