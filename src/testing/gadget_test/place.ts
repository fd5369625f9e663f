/**
 * Where the tests of this process run.
 *
 * @module
 */
import { libc } from "../../../ffi/libc.ts";
import { listUdcs } from "../../gadget/udc/udc.ts";
import { isGranted } from "../permissions.ts";

/** On this machine's controller, in a VM, or in neither, and why. */
export type Place =
  | { readonly kind: "here"; readonly udc: string }
  | { readonly kind: "vm" }
  | { readonly kind: "none"; readonly reason: string };

/** The variable that decides where tests run. */
const VARIABLE = "USB_GADGET_TEST";

/** Chooses the place: a controller of this machine first, then a VM. */
export function choosePlace(): Place {
  const wish = variable(VARIABLE);
  if (wish !== undefined && wish !== "here" && wish !== "vm") {
    throw new TypeError(
      `Cannot use ${VARIABLE} "${wish}": it must be "here" or "vm"`,
    );
  }
  const udc = wish === "vm" ? { reason: "" } : freeController();
  if (typeof udc === "string") return { kind: "here", udc };
  const reason = wish === "here" ? "" : whyNoVm();
  if (reason === undefined) return { kind: "vm" };
  const reasons = [
    udc.reason && `not here (${udc.reason})`,
    reason && `not in a VM (${reason})`,
  ];
  return { kind: "none", reason: reasons.filter(Boolean).join(", and ") };
}

/** A controller that a test can use: a virtual one has its host in this machine. */
function freeController(): string | { readonly reason: string } {
  if (Deno.build.os !== "linux") {
    return { reason: `this machine has ${Deno.build.os}, not Linux` };
  }
  if (!isGranted({ name: "ffi" })) return { reason: "it needs --allow-ffi" };
  if (libc().geteuid() !== 0) return { reason: "it needs root" };
  const all = listUdcs();
  const free = all.filter(({ driver }) => driver === "");
  const virtual = free.find(({ controllerDriver }) =>
    controllerDriver === "dummy_udc"
  );
  const [first] = free;
  if (first !== undefined) return (virtual ?? first).name;
  return {
    reason: all.length === 0
      ? "this machine has no USB device controller (UDC)"
      : `its controllers are taken: ${
        all.map(({ name, driver }) => `"${name}" by "${driver}"`).join(", ")
      }`,
  };
}

/** Why there can be no VM, as far as it is known without starting one. */
function whyNoVm(): string | undefined {
  if (Deno.build.os !== "linux") {
    return `this machine has ${Deno.build.os}, not Linux`;
  }
  const needed = ["run", "read", "write", "env", "net", "sys", "ffi"] as const;
  return needed.every((name) => isGranted({ name }))
    ? undefined
    : "it needs --allow-all";
}

/** A variable that may be read. */
export function variable(name: string): string | undefined {
  return isGranted({ name: "env", variable: name })
    ? Deno.env.get(name)
    : undefined;
}
