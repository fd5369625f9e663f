/**
 * Checks of what the kernel or the host would ignore without a word.
 *
 * @module
 */
import type { UsbFunction } from "../../definition/function.ts";
import { show } from "../../arguments/show.ts";
import type { ProblemList } from "../problem.ts";
import {
  configurationFunctions,
  type GadgetDefinition,
  type GadgetFunction,
  isKernelFunction,
  isOwnFunction,
} from "../../definition/gadget.ts";
import type { KernelFunction } from "../../definition/kernel_function.ts";

/** Bytes of a URL descriptor after its header. */
const MAX_URL_BYTES = 252;
/** Bytes of a landing page in configfs. What is longer is refused elsewhere. */
const MAX_PAGE_BYTES = 260;
/** Schemes that a URL descriptor has a number for. */
const SCHEMES = /^https?:\/\//i;

/**
 * Checks what a gadget says to no effect.
 *
 * @param list Where problems go.
 * @param definition A gadget of the right shape.
 */
export function checkEffect(
  list: ProblemList,
  definition: GadgetDefinition,
): void {
  checkMicrosoftOs(list, definition);
  checkWebUsb(list, definition);
  definition.functions.forEach((each, index) => {
    if (!isKernelFunction(each)) return;
    checkAddresses(list, each, index);
    checkFlags(list, each, index);
    if (each.type === "rndis") checkClass(list, each, index);
  });
}

/** Windows asks for the features of functions where the gadget says that there are some. */
function checkMicrosoftOs(
  list: ProblemList,
  definition: GadgetDefinition,
): void {
  const { functions, microsoftOs } = definition;
  if (microsoftOs === false) return;
  if (microsoftOs === undefined) {
    const [first] = functions.filter(hasFeatures);
    if (first === undefined) return;
    list.configure(
      "microsoft-os",
      "microsoftOs",
      `Function ${
        show(first.name)
      } has Microsoft OS features, but the gadget does not announce any, so Windows asks for none: set it to true, or to false to do without`,
    );
    return;
  }
  const { configuration = 0 } = microsoftOs === true ? {} : microsoftOs;
  const announced = configurationFunctions(definition)[configuration] ?? [];
  functions.forEach((each, index) => {
    if (!hasFeatures(each) || announced.includes(each)) return;
    list.configure(
      "microsoft-os",
      `functions[${index}]`,
      `Function ${
        show(each.name)
      } has Microsoft OS features, but is not in configuration ${
        configuration + 1
      }, the one that Windows asks about: change "microsoftOs.configuration", or add the function there`,
    );
  });
}

function hasFeatures(each: GadgetFunction): boolean {
  if (isOwnFunction(each)) return microsoftOsOf(each) > 0;
  return isKernelFunction(each) &&
    Object.entries(each.attributes).some(([path, value]) =>
      path.startsWith("os_desc/") && value !== ""
    );
}

function microsoftOsOf({ microsoftOs = [] }: UsbFunction): number {
  return microsoftOs.length;
}

function checkWebUsb(
  list: ProblemList,
  { webUsb, microsoftOs }: GadgetDefinition,
): void {
  if (webUsb === undefined) return;
  const { landingPage = "", vendorCode = 0x02 } = webUsb;
  const at = "webUsb.landingPage";
  if (landingPage !== "" && !isUrl(landingPage)) {
    list.configure(
      "landing-page",
      at,
      `The page ${
        show(landingPage)
      } is no URL, so browsers ignore it: begin it with "https://"`,
    );
  }
  const [scheme = ""] = SCHEMES.exec(landingPage) ?? [];
  const { length } = new TextEncoder().encode(landingPage);
  const room = MAX_URL_BYTES + scheme.length;
  if (length > room && length <= MAX_PAGE_BYTES) {
    list.write(
      "landing-page",
      at,
      `The page has ${
        length - scheme.length
      } bytes after its scheme, but a URL descriptor has room for ${MAX_URL_BYTES}: shorten it`,
    );
  }
  if (!microsoftOs) return;
  const { vendorCode: other = 0x01 } = microsoftOs === true ? {} : microsoftOs;
  if (vendorCode !== other) return;
  list.configure(
    "vendor-code",
    "webUsb.vendorCode",
    `The request ${vendorCode} is that of Microsoft OS descriptors already, which the kernel answers first: use another one`,
  );
}

/** Text of half characters is refused elsewhere. */
function isUrl(page: string): boolean {
  return !page.isWellFormed() ||
    /^[a-z][a-z0-9+.-]*:\/\//i.test(page) && URL.canParse(page);
}

/** MAC addresses: the kernel makes one of whatever text it is given. */
function checkAddresses(
  list: ProblemList,
  { attributes }: KernelFunction,
  index: number,
): void {
  for (const name of ["dev_addr", "host_addr"]) {
    const address = attributes[name];
    if (address === undefined) continue;
    const path = `functions[${index}].attributes[${show(name)}]`;
    if (
      typeof address !== "string" ||
      !/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(address)
    ) {
      list.configure(
        "mac-address",
        path,
        `The MAC address is ${
          show(address)
        }, of which the kernel makes another one: write it as "02:00:00:00:00:01"`,
      );
    } else if (
      parseInt(address, 16) % 2 !== 0 || /^[0:]+$/.test(address)
    ) {
      list.write(
        "mac-address",
        path,
        `The MAC address ${
          show(address)
        } is not one of a single device, and the kernel refuses it: use an even first byte, as in "02:00:00:00:00:01"`,
      );
    }
  }
}

/** Attributes that are true or false. */
const FLAGS =
  /^(lun\.\d+\/(cdrom|nofua|removable|ro)|stall|[cp]_(mute|volume)_present)$/;

/** The kernel reads the first character of such a value, or two. */
function checkFlags(
  list: ProblemList,
  { attributes }: KernelFunction,
  index: number,
): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (!FLAGS.test(name) || typeof value === "boolean") continue;
    if (/^(0|1|[ynft]|yes|no|true|false|on|off)$/i.test(String(value))) {
      continue;
    }
    list.configure(
      "flag",
      `functions[${index}].attributes[${show(name)}]`,
      `The value is ${
        show(value)
      }, and the kernel looks at its first character only: give true or false`,
    );
  }
}

/** The class of RNDIS: the kernel reads two digits of whatever it is given. */
function checkClass(
  list: ProblemList,
  { attributes }: KernelFunction,
  index: number,
): void {
  for (const name of ["class", "subclass", "protocol"]) {
    if (attributes[name] === undefined) continue;
    const path = `functions[${index}].attributes[${show(name)}]`;
    list.range(attributes[name], [0, 0xff], path, "The value");
  }
}
