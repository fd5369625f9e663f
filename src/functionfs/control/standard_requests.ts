/**
 * Standard requests that reach a function, answered from its definition.
 *
 * The kernel answers nearly all standard requests itself. It passes on
 * GET_DESCRIPTOR to an interface and, with some device controllers, GET_STATUS
 * and the features of interfaces and endpoints.
 *
 * @module
 */
import { encodeFunctional } from "../../compile/functional_encoding.ts";
import type { UsbFunction } from "../../definition/function.ts";
import {
  type ControlAnswer,
  type ControlHandler,
  type SetupRequest,
  unhandled,
} from "../../usb/control.ts";
import { DescriptorType } from "../../usb/descriptor_type.ts";
import { FeatureSelector, StandardRequest } from "../../usb/request.ts";

/** An endpoint, as standard requests see it. */
export interface Haltable {
  halt(options: { readonly signal: AbortSignal }): Promise<void>;
  clearHalt(): Promise<void>;
}

/** @param endpoints In the order of their numbers, from 1. */
export function standardRequests(
  definition: UsbFunction,
  endpoints: readonly Haltable[] = [],
): ControlHandler {
  const halts = new EndpointHalts(endpoints);
  return (setup) => {
    switch (setup.request) {
      case StandardRequest.GET_DESCRIPTOR:
        return getDescriptor(setup, definition);
      case StandardRequest.GET_STATUS:
        return getStatus(setup, halts);
      case StandardRequest.SET_FEATURE:
      case StandardRequest.CLEAR_FEATURE:
        return changeFeature(setup, halts);
      default:
        return unhandled;
    }
  };
}

/**
 * The descriptors of an interface: those outside the configuration (HID 1.11,
 * 7.1.1), and those in it. The kernel does not report which alternate setting
 * is selected: setting 0 goes first.
 */
function getDescriptor(
  { recipient, direction, index, value }: SetupRequest,
  { interfaces }: UsbFunction,
): ControlAnswer {
  const of = interfaces[index];
  if (recipient !== "interface" || direction !== "in") return unhandled;
  // The low byte selects one of several descriptors of a type. There is one.
  if (of === undefined || (value & 0xff) !== 0) return unhandled;
  const descriptors = [of, ...of.alternates ?? []]
    .flatMap((setting) => setting.descriptors ?? []);
  switch (value >> 8) {
    case DescriptorType.HID_REPORT:
      return descriptors.map((it) => it.kind === "hid" ? it.report : undefined)
        .find((it) => it !== undefined) ?? unhandled;
    case DescriptorType.CLASS_FUNCTIONAL:
      return descriptors.map((it) => Uint8Array.from(encodeFunctional(it)))
        .find((it) => it[1] === DescriptorType.CLASS_FUNCTIONAL) ?? unhandled;
    default:
      // Part of the configuration descriptor.
      return unhandled;
  }
}

/**
 * USB 2.0, 9.4.5: an interface status has no used bits; bit 0 of an
 * endpoint's status is its halt.
 */
function getStatus(
  { recipient, direction, index, value }: SetupRequest,
  halts: EndpointHalts,
): ControlAnswer {
  if (direction !== "in" || value !== 0) return unhandled;
  if (recipient === "interface") return new Uint8Array(2);
  if (recipient !== "endpoint" || !halts.has(index)) return unhandled;
  return Uint8Array.of(halts.isSet(index) ? 1 : 0, 0);
}

/** USB 2.0, 9.4.1 and 9.4.9: endpoints have one feature, interfaces none. */
function changeFeature(
  setup: SetupRequest,
  halts: EndpointHalts,
): ControlAnswer | Promise<void> {
  const { recipient, direction, index, value, length, request } = setup;
  const known = recipient === "endpoint" && direction === "out" &&
    length === 0 && value === FeatureSelector.ENDPOINT_HALT && halts.has(index);
  if (!known) return unhandled;
  return request === StandardRequest.SET_FEATURE
    ? halts.set(index, setup)
    : halts.clear(index);
}

/** The halts that the host has requested. */
class EndpointHalts {
  readonly #endpoints: readonly Haltable[];
  /** Halts that are set or pending, and how to withdraw them. */
  readonly #set = new Map<number, AbortController>();
  /** Whether they are withdrawn when the session ends. */
  #ends = false;

  constructor(endpoints: readonly Haltable[]) {
    this.#endpoints = endpoints;
  }

  has(number: number): boolean {
    return number >= 1 && number <= this.#endpoints.length;
  }

  isSet(number: number): boolean {
    return this.#set.has(number);
  }

  /** Not awaited: an IN endpoint halts after the host has taken all writes. */
  set(number: number, setup: SetupRequest): void {
    this.#endWithSession(setup);
    this.#set.get(number)?.abort();
    const controller = new AbortController();
    this.#set.set(number, controller);
    this.#endpoints[number - 1].halt(controller).catch(() => {
      if (this.#set.get(number) === controller) this.#set.delete(number);
    });
  }

  /** A reset ends all halts (USB 2.0, 9.4.5), even pending ones. */
  #endWithSession(setup: SetupRequest): void {
    if (this.#ends) return;
    this.#ends = true;
    setup.onSessionEnd(() => {
      this.#ends = false;
      for (const halt of this.#set.values()) halt.abort();
      this.#set.clear();
    });
  }

  async clear(number: number): Promise<void> {
    // A pending halt would make this wait, and the host as well.
    this.#set.get(number)?.abort();
    this.#set.delete(number);
    await this.#endpoints[number - 1].clearHalt();
  }
}
