/**
 * Addresses that a function shows its host as they are declared.
 *
 * With FUNCTIONFS_VIRTUAL_ADDR the kernel looks an endpoint up by the declared
 * address when the host sets the configuration, and does not find it unless
 * that is the address of the endpoint that it has picked from the controller
 * (`config_ep_by_speed()` in `composite.c`). It says so only in the host's log.
 *
 * @module
 */
import { compileFunction } from "../../check/compile_function.ts";
import { DefinitionError } from "../../check/problem.ts";
import { DUMMY_UDC, pickEndpoints } from "../../check/endpoint_choice.ts";
import {
  configurationFunctions,
  type GadgetDefinition,
  isOwnFunction,
} from "../../definition/gadget.ts";
import { listUdcs } from "./udc.ts";

/** Controllers whose endpoints are known, by their drivers. */
const KNOWN = new Map([["dummy_udc", DUMMY_UDC]]);

/**
 * Checks that declared addresses are those that a controller gives, as far as
 * that is known: for dummy_hcd, and functions that no foreign one precedes.
 *
 * @param udc The controller's name; one that is not there is found out later.
 * @throws {DefinitionError} With each address that is not.
 */
export function checkVirtualAddresses(
  definition: GadgetDefinition,
  udc: string,
): void {
  const asked = definition.functions.some((each) =>
    isOwnFunction(each) && each.virtualAddresses
  );
  if (!asked) return;
  const driver = listUdcs().find(({ name }) => name === udc)?.controllerDriver;
  const controller = KNOWN.get(driver ?? "");
  if (controller === undefined) return;
  for (const functions of configurationFunctions(definition)) {
    const foreign = functions.findIndex((each) => !isOwnFunction(each));
    const own = functions.slice(0, foreign < 0 ? undefined : foreign)
      .filter(isOwnFunction);
    const endpoints = own.flatMap((each) =>
      compileFunction(each).endpoints.map((endpoint) => ({ each, endpoint }))
    );
    const picked = pickEndpoints(
      controller,
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

function hex(address: number): string {
  return `0x${address.toString(16).padStart(2, "0")}`;
}
