/**
 * Standard requests that reach a function, answered from its definition.
 *
 * The kernel answers nearly all standard requests itself. What is left for a
 * function is GET_DESCRIPTOR to an interface, and with some device controllers
 * GET_STATUS and the features of interfaces and endpoints.
 *
 * @module
 */
import { encodeFunctional } from "../descriptors/functional_encoding.ts";
import type { UsbFunction } from "../descriptors/mod.ts";
import {
  type ControlAnswer,
  type ControlHandler,
  DescriptorType,
  type SetupRequest,
  StandardRequest,
  unhandled,
} from "../usb/mod.ts";

/** Makes the handler of the standard requests of a function. */
export function standardRequests(definition: UsbFunction): ControlHandler {
  return (setup) => {
    switch (setup.request) {
      case StandardRequest.GET_DESCRIPTOR:
        return getDescriptor(setup, definition);
      case StandardRequest.GET_STATUS:
        return getStatus(setup);
      default:
        return unhandled;
    }
  };
}

/** HID 1.11, 7.1.1: the HID descriptor and the report descriptor. */
function getDescriptor(
  setup: SetupRequest,
  definition: UsbFunction,
): ControlAnswer {
  if (setup.recipient !== "interface") return unhandled;
  const hid = definition.interfaces[setup.index]?.descriptors
    ?.find((each) => each.kind === "hid");
  if (hid === undefined) return unhandled;
  switch (setup.value >> 8) {
    case DescriptorType.CLASS_FUNCTIONAL:
      return Uint8Array.from(encodeFunctional(hid));
    case DescriptorType.HID_REPORT:
      return hid.report ?? unhandled;
    default:
      return unhandled;
  }
}

/** USB 2.0, 9.4.5: no bit of an interface's status means anything. */
function getStatus({ recipient, direction }: SetupRequest): ControlAnswer {
  return recipient === "interface" && direction === "in"
    ? new Uint8Array(2)
    : unhandled;
}
