/**
 * Puts together what serves the control endpoint of a function.
 *
 * @module
 */
import type { UsbFunction } from "../../definition/function.ts";
import type { ControlErrorHandler } from "../../usb/control.ts";
import {
  type ControlHandlers,
  dispatchControl,
  reportError,
} from "./dispatch.ts";
import { ControlEndpoint, type ControlEndpointOptions } from "./endpoint.ts";
import { ControlLog } from "./log.ts";
import { guard } from "./setup.ts";
import { type Haltable, standardRequests } from "./standard_requests.ts";

/** What the control endpoint of a function needs. */
export interface ControlService
  extends Omit<ControlEndpointOptions, "onSetup" | "onFailure" | "reports"> {
  readonly definition: UsbFunction;
  /** The endpoints, in the order of their numbers. */
  readonly endpoints: readonly Haltable[];
  /** Is called when the kernel will not tell anything any more. */
  readonly onEnd: () => void;
}

/** Begins to handle the events and the control requests of a function. */
export function serveControl(service: ControlService): ControlEndpoint {
  const { definition, endpoints, lifecycle, onEnd } = service;
  const { onControl } = definition;
  const log = new ControlLog(definition.name);
  const report: ControlErrorHandler = (error, setup) => {
    if (!lifecycle.report(error, setup)) log.error(error, setup);
  };
  const handlers: ControlHandlers = {
    standardControl: definition.standardControl,
    defaults: standardRequests(definition, endpoints),
    control: definition.control,
    onError: definition.onError,
    report,
    onUnanswered: onControl ? undefined : log.unanswered.bind(log),
  };
  return new ControlEndpoint({
    ...service,
    reports: {
      onError: (error, setup) => reportError(error, setup, handlers),
      onOutcome: onControl &&
        ((setup, outcome) =>
          guard(
            () => onControl(setup, outcome),
            (error) => report(error, setup),
          )),
    },
    onSetup: (setup) => void dispatchControl(setup, handlers),
    onFailure: (error) => {
      if (!lifecycle.report(error)) log.error(error);
      onEnd();
    },
  });
}
