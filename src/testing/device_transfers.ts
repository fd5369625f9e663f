/**
 * The transfers of a host with one enumeration of a device, while it has one
 * configuration.
 *
 * @module
 */
import { Errno, errorOf } from "../../ffi/errno.ts";
import type { FunctionFs } from "../functionfs/function_fs.ts";
import type { InEndpoint } from "../functionfs/endpoint/in_endpoint.ts";
import type { OutEndpoint } from "../functionfs/endpoint/out_endpoint.ts";
import type { Direction } from "../usb/endpoint_attributes.ts";
import { decodeSetup } from "../usb/setup_packet.ts";
import { encodeRequest, type HostControlRequest } from "./control_request.ts";
import { decodeDevice, type HostDescriptors } from "./descriptors.ts";
import { type HostPipe, HostPipes } from "./host_pipes.ts";
import { type HostWriteOptions, type Patience, within } from "./options.ts";
import { UrbType, USBDEVFS_URB_ZERO_PACKET } from "./usbfs/abi.ts";
import type { UsbfsDevice } from "./usbfs/device.ts";
import {
  finishTransfer,
  type TransferSubject,
  withoutData,
} from "./usbfs/transfer.ts";

const SETUP_SIZE = 8;

/** Finds endpoints, claims their interfaces, and transfers. */
export class DeviceTransfers {
  readonly device: UsbfsDevice;
  readonly pipes: HostPipes;
  readonly #functions: readonly FunctionFs[];
  readonly #configuration: number;
  /** Interfaces that are or get claimed. */
  readonly #claims = new Map<number, Promise<void>>();
  /** Endpoints that can be used at once, by their paths. */
  readonly #ready = new Map<string, HostPipe>();
  /** Transfers that are going to be submitted, before a reset that is called later. */
  readonly #begun = new Set<Promise<HostPipe>>();

  /** @param configuration bConfigurationValue of the selected one, 0 for none. */
  constructor(
    device: UsbfsDevice,
    functions: readonly FunctionFs[],
    configuration: number,
  ) {
    this.device = device;
    this.#functions = functions;
    this.#configuration = configuration;
    this.pipes = new HostPipes(functions, () => this.descriptors);
  }

  get descriptors(): HostDescriptors {
    return decodeDevice(this.device.descriptors(), this.#configuration);
  }

  async read(
    endpoint: InEndpoint | OutEndpoint,
    length: number,
    patience: Patience,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const action = `read ${length} bytes from endpoint "${endpoint.name}"`;
    const pipe = this.#ready.get(endpoint.path) ??
      await this.claimed(action, endpoint, patience);
    this.#ready.set(endpoint.path, pipe);
    return await this.#transfer(
      action,
      pipe,
      new Uint8Array(length),
      0,
      patience,
    );
  }

  async write(
    endpoint: InEndpoint | OutEndpoint,
    data: Uint8Array<ArrayBuffer>,
    zlp: HostWriteOptions["zlp"],
    patience: Patience,
  ): Promise<number> {
    const action = `write ${data.length} bytes to endpoint "${endpoint.name}"`;
    const pipe = this.#ready.get(endpoint.path) ??
      await this.claimed(action, endpoint, patience);
    this.#ready.set(endpoint.path, pipe);
    const { transferType, maxPacketSize } = pipe.node;
    const isBulk = transferType === "bulk";
    const flags = zlp === "auto" && isBulk ? USBDEVFS_URB_ZERO_PACKET : 0;
    const sending = this.#transfer(action, pipe, data, flags, patience);
    // Only the kernel's bulk transfers have the flag.
    const onBorder = data.length > 0 && data.length % maxPacketSize === 0;
    const ending = zlp === "auto" && !isBulk && onBorder
      ? this.#transfer(action, pipe, new Uint8Array(0), 0, patience)
      : undefined;
    const [sent] = await Promise.all([sending, ending]);
    return sent.byteLength;
  }

  async control(
    request: HostControlRequest,
    direction: Direction,
    data: Uint8Array,
    patience: Patience,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { index } = request;
    const action = "make a control request";
    const pipe = typeof index === "object"
      ? await this.#find(action, index, patience)
      : undefined;
    const setup = encodeRequest(request, pipe, direction, data.byteLength);
    const { recipient, type, requestType, index: number } = decodeSetup(setup);
    if (type !== "vendor") {
      // The kernel wants the interface claimed, and would do so with a warning.
      const claim = recipient === "interface"
        ? number & 0xff
        : recipient === "endpoint"
        ? pipe?.interfaceNumber
        : undefined;
      if (claim !== undefined && this.#has(claim)) {
        await this.claim(claim, action, patience);
      }
    }
    const buffer = new Uint8Array(SETUP_SIZE + data.byteLength);
    buffer.set(setup);
    if (direction === "out") buffer.set(data, SETUP_SIZE);
    const { device } = this;
    const urb = device.submit({
      type: UrbType.control,
      endpoint: requestType & 0x80,
      buffer,
    });
    const what = [requestType, request.request].map((it) =>
      `0x${it.toString(16).padStart(2, "0")}`
    ).join(" ");
    return await finishTransfer(urb, patience, {
      action: `${action} ${what}`,
      path: device.path,
      offset: SETUP_SIZE,
      whyTimedOut: () =>
        `the device has not answered: ${this.states()}; its handler may still be running`,
    });
  }

  /** Runs what affects transfers, after those that were called before. */
  run(
    call: () => Promise<void>,
    action: string,
    patience: Patience,
  ): Promise<void> {
    const begun = [...this.#begun];
    return within(
      begun.length === 0 ? call() : Promise.allSettled(begun).then(call),
      patience,
      action,
      () => `the kernel has not done it: ${this.states()}`,
    );
  }

  /** Takes all interfaces from their drivers, and selects a configuration. */
  async select(value: number): Promise<void> {
    const { device } = this;
    const { descriptors = [] } = this.descriptors.configuration ?? {};
    const numbers = descriptors.flatMap((each) =>
      each.kind === "interface" ? [each.number] : []
    );
    for (const number of new Set(numbers)) {
      if (!device.claimed.has(number)) await device.claimInterface(number);
      await device.releaseInterface(number);
    }
    await device.setConfiguration(value);
  }

  /** Finds an endpoint, and claims its interface. */
  claimed(
    action: string,
    endpoint: InEndpoint | OutEndpoint,
    patience: Patience,
  ): Promise<HostPipe> {
    const known = this.pipes.has(endpoint);
    const claimed = (async () => {
      try {
        const pipe = await this.#find(action, endpoint, patience);
        await this.claim(pipe.interfaceNumber, action, patience);
        return pipe;
      } catch (error) {
        throw withoutData(error);
      }
    })();
    // Another one may wait for what a later call does.
    if (known) this.#begun.add(claimed);
    claimed.catch(() => {}).then(() => this.#begun.delete(claimed));
    return claimed;
  }

  claim(
    number: number,
    action: string,
    patience: Patience,
  ): Promise<void> {
    let claim = this.#claims.get(number);
    if (claim === undefined) {
      claim = this.device.claimInterface(number);
      this.#claims.set(number, claim);
      claim.catch(() => this.#claims.delete(number));
    }
    return within(
      claim,
      patience,
      action,
      () => `interface ${number} cannot be claimed: ${this.states()}`,
    );
  }

  #find(
    action: string,
    endpoint: InEndpoint | OutEndpoint,
    patience: Patience,
  ): Promise<HostPipe> {
    const finding = this.pipes.find(action, endpoint);
    return within(
      finding,
      patience,
      action,
      () => `the endpoint is not enabled: ${this.states()}`,
    );
  }

  /** Whether the selected configuration has an interface. */
  #has(interfaceNumber: number): boolean {
    const { descriptors = [] } = this.descriptors.configuration ?? {};
    return descriptors.some((each) =>
      each.kind === "interface" && each.number === interfaceNumber
    );
  }

  async #transfer(
    action: string,
    pipe: HostPipe,
    buffer: Uint8Array<ArrayBuffer>,
    flags: number,
    patience: Patience,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { transferType } = pipe.node;
    if (transferType !== "bulk" && transferType !== "interrupt") {
      throw errorOf(
        Errno.EOPNOTSUPP,
        `Cannot ${action}: it is ${transferType}, and hosts of tests transfer with bulk and interrupt endpoints`,
        { syscall: "ioctl" },
      );
    }
    const { device } = this;
    const urb = device.submit({
      type: UrbType[transferType],
      endpoint: pipe.address,
      flags,
      buffer,
    });
    const subject: TransferSubject = {
      action,
      path: device.path,
      whyTimedOut: (transferred) => this.#whyTimedOut(pipe, transferred),
      whyRefused:
        `the host has not selected setting ${pipe.alternateSetting} of interface ${pipe.interfaceNumber}, to which the endpoint belongs: call setInterface()`,
    };
    return await finishTransfer(urb, patience, subject);
  }

  #whyTimedOut({ owner, node }: HostPipe, transferred: number): string {
    if (owner.suspended) return "the bus is suspended: call resume()";
    if (owner.state !== "enabled") {
      return `function "${owner.name}" is "${owner.state}"`;
    }
    const border = transferred > 0 && transferred % node.maxPacketSize === 0;
    if (node.direction === "out") {
      return `function "${owner.name}" is enabled, but its program does not read so much`;
    }
    return border
      ? `the device has sent whole packets, which do not end the transfer: it must write with \`zlp: "auto"\`, or the host must ask for exactly as many bytes`
      : `function "${owner.name}" is enabled, but its program has not written so much`;
  }

  states(): string {
    const functions = this.#functions.map(({ name, state }) =>
      `function "${name}" is "${state}"`
    );
    return functions.join(", ") || "it has no functions of this process";
  }
}
