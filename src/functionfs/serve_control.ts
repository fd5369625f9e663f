/**
 * Puts together what serves the control endpoint of a function.
 *
 * @module
 */
import type { UsbFunction } from "../descriptors/mod.ts";
import { dispatchControl } from "./control_dispatch.ts";
import {
  ControlEndpoint,
  type ControlEndpointOptions,
} from "./control_endpoint.ts";
import { type Haltable, standardRequests } from "./standard_requests.ts";

/** What the control endpoint of a function needs. */
export interface ControlService
  extends Omit<ControlEndpointOptions, "onSetup" | "onFailure"> {
  readonly definition: UsbFunction;
  /** The endpoints, in the order of their numbers. */
  readonly endpoints: readonly Haltable[];
  /** Is called when the kernel will not tell anything any more. */
  readonly onEnd: () => void;
}

/** Begins to handle the events and the control requests of a function. */
export function serveControl(service: ControlService): ControlEndpoint {
  const { definition, endpoints, lifecycle, onEnd } = service;
  const handlers = {
    standardControl: definition.standardControl,
    defaults: standardRequests(definition, endpoints),
    control: definition.control,
    onError: definition.onError,
    report: lifecycle.report.bind(lifecycle),
  };
  return new ControlEndpoint({
    ...service,
    onSetup: (setup) => dispatchControl(setup, handlers),
    onFailure: (error) => {
      lifecycle.report(error);
      onEnd();
    },
  });
}
