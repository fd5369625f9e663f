/**
 * What controllers cannot do for a gadget, and do not report.
 *
 * @module
 */
import { Errno, errorOf } from "../../../ffi/errno.ts";
import { kernelRelease } from "../../../ffi/kernel_release.ts";
import {
  KERNEL_FEATURES,
  kernelHas,
  parseKernelRelease,
} from "../../compile/kernel_version.ts";
import { DUMMY_UDC, pickEndpoints } from "../../check/endpoint_choice.ts";
import { DefinitionError } from "../../check/problem.ts";
import { hex } from "../../arguments/show.ts";
import { compileFunction } from "../../check/compile_function.ts";
import {
  configurationFunctions,
  type GadgetDefinition,
  isKernelFunction,
  isOwnFunction,
} from "../../definition/gadget.ts";
import { controllerDriver, findUdc, type Udc, USB_IP_DRIVER } from "./udc.ts";

/**
 * Says whether the controllers of a driver can scatter-gather, which DMABUF
 * transfers need. The kernel reports it only after a function was bound
 * (`FunctionFs.dmabufSupport`); the drivers are those of Linux 7.3 that set
 * `sg_supported`: dwc3 with its glue, cdns2 and cdns3, chipidea.
 */
export function describeScatterGather(driver: string): string {
  if (/^(dwc3|cdns|ci_hdrc)/.test(driver)) return "scatter-gather for DMABUF";
  return driver === "dwc2"
    ? "scatter-gather for DMABUF if its hardware has descriptor DMA"
    : "no scatter-gather, so no DMABUF";
}

/** The controller that each definition was last checked with. */
const warned = new WeakMap<GadgetDefinition, string>();

/** Prints a warning where browsers ignore the landing page, once for a definition on a controller. */
export function warnOfLandingPage(
  name: string,
  definition: GadgetDefinition,
  udc: string,
): void {
  if (!definition.webUsb?.landingPage || warned.get(definition) === udc) return;
  warned.set(definition, udc);
  const controller = findUdc(udc);
  const warning = controller &&
    landingPageWarning(name, definition, controller);
  if (warning !== undefined) console.warn(warning);
}

/**
 * The warning about a landing page on a controller, if there is one to give.
 * Chromium asks devices with a `bcdUSB` of 2.10 or more for it. On controllers
 * without super speed the kernel sets that field to 2.01 (`composite_setup()`).
 */
export function landingPageWarning(
  name: string,
  { webUsb }: GadgetDefinition,
  udc: Pick<Udc, "name" | "maximumSpeed">,
): string | undefined {
  if (!webUsb?.landingPage || /^super-speed/.test(udc.maximumSpeed)) return;
  return `Gadget "${name}": Chromium ignores the landing page on UDC "${udc.name}" (${udc.maximumSpeed}), because Linux reports USB 2.01 there and Chromium needs 2.10: use a super-speed controller, or leave "webUsb" out; pages can open the device without it`;
}

/**
 * Checks that the addresses of functions with `virtualAddresses` are those of a
 * controller's endpoints, as far as these are known: for dummy_hcd, and functions
 * of this process that come before all others.
 *
 * With FUNCTIONFS_VIRTUAL_ADDR the kernel looks an endpoint up by the declared
 * address when the host sets the configuration, and only finds it if the endpoint
 * that it has picked from the controller has that address
 * (`config_ep_by_speed()` in `composite.c`). The failure shows in the host's log
 * only.
 *
 * @throws {DefinitionError} With the first address that differs.
 */
export function checkVirtualAddresses(
  definition: GadgetDefinition,
  udc: string,
): void {
  const asked = definition.functions.some((each) =>
    isOwnFunction(each) && each.virtualAddresses
  );
  if (!asked || controllerDriver(udc) !== "dummy_udc") return;
  for (const functions of configurationFunctions(definition)) {
    const other = functions.findIndex((each) => !isOwnFunction(each));
    const endpoints = functions.slice(0, other < 0 ? undefined : other)
      .filter(isOwnFunction)
      .flatMap((each) =>
        compileFunction(each).endpoints.map((endpoint) => ({ each, endpoint }))
      );
    const picked = pickEndpoints(
      DUMMY_UDC,
      endpoints.map((
        { endpoint: { direction, transferType, maxPacketSize } },
      ) => ({
        direction,
        transferType,
        maxPacketSize: Math.min(...Object.values(maxPacketSize)),
      })),
    );
    endpoints.forEach(({ each, endpoint: { name: path, address } }, index) => {
      const real = picked[index];
      if (!each.virtualAddresses || real === undefined || real === address) {
        return;
      }
      throw new DefinitionError(`function "${each.name}"`, [{
        path,
        rule: "virtual-address",
        message: `"${udc}" gives this endpoint the address ${hex(real)}, not ${
          hex(address)
        }, so the host cannot set the configuration: declare that address, or do without virtualAddresses`,
        stage: "configure",
      }]);
    });
  }
}

/**
 * Checks that a gadget with functions of FunctionFS does not crash the kernel on a
 * controller for USB/IP: older kernels do when it leaves (`vep_dequeue()` in
 * vudc_dev.c), and all when its process is killed, unless its functions are mounted
 * with `noDisconnect`.
 *
 * @param firstUdc The controller that the gadget was started for.
 * @throws {Deno.errors.NotSupported} If it would.
 */
export function checkUsbIp(
  { functions }: GadgetDefinition,
  udc: string,
  firstUdc: string | undefined,
): void {
  if (functions.every(isKernelFunction)) return;
  if (controllerDriver(udc) !== USB_IP_DRIVER) return;
  const refuse = (reason: string) =>
    errorOf(
      Errno.EOPNOTSUPP,
      `Cannot bind gadget to UDC "${udc}": ${reason}`,
      { syscall: "write" },
    );
  const release = kernelRelease();
  if (!kernelHas(parseKernelRelease(release), KERNEL_FEATURES.usbIp)) {
    throw refuse(
      `Linux ${release} crashes when a function leaves usbip-vudc; use Linux 7.3 or later`,
    );
  }
  if (firstUdc === undefined || controllerDriver(firstUdc) !== USB_IP_DRIVER) {
    throw refuse(
      `a gadget is made for USB/IP from its start: give Gadget.start() the option udc: "${udc}"`,
    );
  }
}
