/**
 * Checks of what hosts ask a device for: Microsoft OS descriptors and WebUSB.
 * The kernel takes these settings even where a host then ignores them.
 *
 * @module
 */
import {
  configurationFunctions,
  type GadgetDefinition,
  type GadgetFunction,
  isKernelFunction,
  isOwnFunction,
} from "../../definition/gadget.ts";
import type { ProblemList } from "../problem.ts";
import { show } from "../../arguments/show.ts";

/** Bytes of a URL descriptor after its header. */
const MAX_URL_BYTES = 252;
/** Bytes of a landing page in configfs. */
export const MAX_PAGE_BYTES = 260;
/** Schemes that a URL descriptor has a number for. */
const SCHEMES = /^https?:\/\//i;

/** Checks that the gadget announces the features of its functions. */
export function checkMicrosoftOs(
  list: ProblemList,
  definition: GadgetDefinition,
): void {
  const { functions, microsoftOs } = definition;
  if (microsoftOs === false) return;
  if (microsoftOs === undefined) {
    const first = functions.find(hasFeatures);
    if (first === undefined) return;
    list.configureFails(
      "microsoft-os",
      "microsoftOs",
      `Function ${
        show(first.name)
      } has Microsoft OS features, but the gadget does not announce any, so Windows asks for none: set it to true, or to false to do without`,
    );
    return;
  }
  const { configuration = 0 } = microsoftOs === true ? {} : microsoftOs;
  const configurations = configurationFunctions(definition);
  const announced = configurations[configuration] ?? [];
  list.range(
    configuration,
    [0, Math.max(configurations.length - 1, 0)],
    "microsoftOs.configuration",
    "The index of the configuration",
  );
  functions.forEach((each, index) => {
    if (!hasFeatures(each) || announced.includes(each)) return;
    list.configureFails(
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
  if (isOwnFunction(each)) return (each.microsoftOs?.length ?? 0) > 0;
  return isKernelFunction(each) &&
    Object.entries(each.attributes).some(([path, value]) =>
      path.startsWith("os_desc/") && value !== ""
    );
}

/** Checks that browsers can read the landing page. */
export function checkWebUsb(
  list: ProblemList,
  { webUsb, microsoftOs }: GadgetDefinition,
): void {
  if (webUsb === undefined) return;
  const { landingPage = "", vendorCode = 0x02 } = webUsb;
  const at = "webUsb.landingPage";
  if (landingPage !== "" && !isUrl(landingPage)) {
    list.configureFails(
      "landing-page",
      at,
      `The page ${
        show(landingPage)
      } is no URL, so browsers ignore it: begin it with "https://"`,
    );
  }
  const [scheme = ""] = SCHEMES.exec(landingPage) ?? [];
  const { length } = new TextEncoder().encode(landingPage);
  // A page that configfs does not take is reported with the other texts.
  if (length > MAX_URL_BYTES + scheme.length && length <= MAX_PAGE_BYTES) {
    list.writeFails(
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
  list.configureFails(
    "vendor-code",
    "webUsb.vendorCode",
    `The request ${vendorCode} belongs to Microsoft OS descriptors already, which the kernel answers first: use another one`,
  );
}

/** Text with half of a surrogate pair is reported with the other texts. */
function isUrl(page: string): boolean {
  return !page.isWellFormed() ||
    /^[a-z][a-z0-9+.-]*:\/\//i.test(page) && URL.canParse(page);
}
