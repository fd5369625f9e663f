/**
 * The host's side of a test.
 *
 * @module
 */
import { checkBytes } from "../arguments/bytes.ts";
import {
  checkArgument,
  checkInteger,
  checkOptions,
  OBJECT,
} from "../arguments/rules.ts";
import type { GadgetFunction } from "../definition/gadget.ts";
import type { InEndpoint } from "../functionfs/endpoint/in_endpoint.ts";
import type { OutEndpoint } from "../functionfs/endpoint/out_endpoint.ts";
import type { EndpointPair } from "../functionfs/endpoint/pair.ts";
import type { Gadget } from "../gadget/gadget.ts";
import { languageId } from "../usb/language.ts";
import type { FunctionSpeed } from "../usb/speed.ts";
import type { HostControlRequest } from "./control_request.ts";
import type { HostDescriptors, HostStrings } from "./descriptors.ts";
import { GadgetConnection } from "./gadget_connection.ts";
import { halfOf } from "./host_pipes.ts";
import {
  HOST_OPTIONS,
  HOST_WRITE_OPTIONS,
  type HostOptions,
  type HostWriteOptions,
  type Patience,
} from "./options.ts";
import { BusRecord } from "./usbmon/record.ts";

/**
 * The USB host of a gadget in the same process, on the same machine: with a
 * virtual controller (dummy_hcd), or with a cable from a controller to a port of
 * the machine. Never blocks the event loop, so that the gadget can answer.
 *
 * Endpoints are named by their objects, those of a function or of a session.
 * The first transfer with an endpoint claims its interface, and takes it from
 * its kernel driver if it has one; interfaces that a test does not use stay with
 * their drivers.
 *
 * Needs root, and `--allow-ffi` as its only permission.
 *
 * @example
 * ```ts ignore
 * import { bulkPair, Gadget, usbFunction } from "@usb/gadget";
 * import { TestHost } from "@usb/gadget/testing";
 * import { assertEquals } from "@std/assert";
 *
 * await using gadget = await Gadget.start({
 *   vendorId: 0x1209,
 *   productId: 0x0001,
 *   functions: [
 *     usbFunction({
 *       name: "tool",
 *       interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
 *       async serve({ endpoints: { link } }) {
 *         for await (const request of link.transfers()) await link.write(request);
 *       },
 *     }),
 *   ],
 * });
 * await using host = await TestHost.open(gadget);
 * const { link } = gadget.functions.tool.endpoints;
 * await host.write(link, new Uint8Array([1, 2, 3]));
 * assertEquals(await host.read(link, 1024), new Uint8Array([1, 2, 3]));
 * ```
 *
 * @priority 9
 * @category Testing
 */
export class TestHost implements AsyncDisposable {
  readonly #connection: GadgetConnection;

  private constructor(connection: GadgetConnection) {
    this.#connection = connection;
  }

  /**
   * Waits until this machine's host has configured a gadget and its functions
   * are enabled, and opens the device.
   *
   * The host's device is found by the gadget's IDs and serial number; give each
   * gadget of a test a serial number of its own.
   *
   * @param options The `timeout` is that of all later calls, too.
   * @throws {Deno.errors.TimedOut} With the reason: no such device, no
   * configuration, or a function that is not enabled.
   * @throws {Deno.errors.PermissionDenied} Without root.
   */
  static async open<const F extends readonly GadgetFunction[]>(
    gadget: Gadget<F>,
    options: HostOptions = {},
  ): Promise<TestHost> {
    checkArgument("open the host of a gadget", "the gadget", gadget, OBJECT);
    checkOptions("open the host of a gadget", options, HOST_OPTIONS);
    const connection = new GadgetConnection(
      gadget as unknown as Gadget,
      options.timeout,
    );
    await connection.open(options);
    return new TestHost(connection);
  }

  /** The speed of the connection. */
  get speed(): FunctionSpeed {
    return this.#connection.speed;
  }

  /**
   * Receives one transfer from the device, of up to `length` bytes. Ends when
   * they have come, or with a short packet of the device. Several may be under
   * way; those of one endpoint run in the order of the calls.
   *
   * As on a real bus, a packet of the device that is larger than what is left of
   * `length` is lost (EOVERFLOW): ask for whole packets, such as 1024 bytes,
   * unless the size is known.
   *
   * @param endpoint A pair, or an IN endpoint: the device sends, the host reads.
   * @returns The data: less than `length` bytes after a short packet.
   * @throws {HostTransferError} EPIPE (`Deno.errors.BrokenPipe`) if the endpoint
   * is halted, ETIMEDOUT (`Deno.errors.TimedOut`) with the reason.
   */
  async read(
    endpoint: InEndpoint | EndpointPair,
    length: number,
    options: HostOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const half = halfOf("read", endpoint, "in");
    const action = `read from endpoint "${half.name}"`;
    checkInteger(action, "the length", length, 0x7fff_ffff);
    checkOptions(action, options, HOST_OPTIONS);
    const transfers = this.#connection.use(action);
    return await transfers.read(half, length, this.#patience(options));
  }

  /**
   * Sends one transfer to the device. Several may be under way; those of one
   * endpoint run in the order of the calls.
   *
   * @param endpoint A pair, or an OUT endpoint: the host writes, the device reads.
   * @param data Is copied. Empty data is a zero-length packet.
   * @returns The number of bytes that the device took: all.
   * @throws {HostTransferError} As {@linkcode read}.
   */
  async write(
    endpoint: OutEndpoint | EndpointPair,
    data: Uint8Array,
    options: HostWriteOptions = {},
  ): Promise<number> {
    const half = halfOf("write", endpoint, "out");
    const action = `write to endpoint "${half.name}"`;
    checkBytes(action, "the data", data);
    checkOptions(action, options, HOST_WRITE_OPTIONS);
    const transfers = this.#connection.use(action);
    const { zlp, ...rest } = options;
    const copy = new Uint8Array(data);
    return await transfers.write(half, copy, zlp, this.#patience(rest));
  }

  /**
   * Makes a control request for `length` bytes.
   *
   * @example The status of an endpoint: 1 if it is halted
   * ```ts ignore
   * const [halted] = await host.controlIn({
   *   recipient: "endpoint",
   *   request: StandardRequest.GET_STATUS,
   *   index: link.in,
   *   length: 2,
   * });
   * ```
   *
   * @returns The data: at most `length` bytes.
   * @throws {HostTransferError} EPIPE (`Deno.errors.BrokenPipe`) if the device
   * stalls it.
   */
  async controlIn(
    request: HostControlRequest & { readonly length: number },
    options: HostOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    checkOptions("make a control request", options, HOST_OPTIONS);
    const { length, ...fields } = request;
    checkInteger("make a control request", '"length"', length, 0xffff);
    const data = new Uint8Array(length);
    return await this.#connection.use("make a control request")
      .control(fields, "in", data, this.#patience(options));
  }

  /**
   * Makes a control request that carries `data`, none by default.
   *
   * @returns The number of bytes that the device took.
   * @throws {HostTransferError} As {@linkcode controlIn}.
   */
  async controlOut(
    request: HostControlRequest,
    data: Uint8Array = new Uint8Array(0),
    options: HostOptions = {},
  ): Promise<number> {
    checkBytes("make a control request", "the data", data);
    checkOptions("make a control request", options, HOST_OPTIONS);
    const sent = await this.#connection.use("make a control request")
      .control(request, "out", data, this.#patience(options));
    return sent.byteLength;
  }

  /** The device's descriptors, as the host has read them at the current speed. */
  get descriptors(): HostDescriptors {
    return this.#connection.use("read the descriptors").descriptors;
  }

  /**
   * Reads all strings that the descriptors refer to. Those that the device does
   * not have in the language are left out.
   *
   * @param language A tag or a LANGID; by default the device's first language.
   * The kernel decides which one that is.
   * @throws {RangeError} If the language is unknown.
   */
  async strings(
    language?: string | number,
    options: HostOptions = {},
  ): Promise<HostStrings> {
    checkOptions("read strings", options, HOST_OPTIONS);
    const id = language === undefined ? undefined : languageId(language);
    if (language !== undefined && id === undefined) {
      throw new RangeError(
        `Cannot read strings: there is no language ${JSON.stringify(language)}`,
      );
    }
    return await this.#connection.strings(id, options);
  }

  /**
   * Resets the device, and configures it again. Pending transfers fail with
   * ESHUTDOWN, and sessions end. The functions' events follow a moment later.
   */
  async reset(options: HostOptions = {}): Promise<void> {
    checkOptions("reset the device", options, HOST_OPTIONS);
    await this.#connection.reset(options);
  }

  /**
   * Selects a configuration, and waits until its functions are enabled; 0 for
   * none. The events of functions that it does not have follow a moment later.
   * All interfaces are taken from their kernel drivers before; the kernel
   * may give those of the new configuration to drivers.
   *
   * @param value `bConfigurationValue`; the first one is 1.
   */
  async setConfiguration(
    value: number,
    options: HostOptions = {},
  ): Promise<void> {
    checkInteger("select a configuration", "the value", value, 0xff);
    checkOptions("select a configuration", options, HOST_OPTIONS);
    await this.#connection.setConfiguration(value, options);
  }

  /**
   * Selects an alternate setting of an interface. Pending transfers of the
   * interface fail with ENOENT. Needs Linux 6.8 for another setting than 0.
   *
   * @param interfaceNumber `bInterfaceNumber`, as in {@linkcode descriptors}.
   */
  async setInterface(
    interfaceNumber: number,
    alternateSetting: number,
    options: HostOptions = {},
  ): Promise<void> {
    const action = "select a setting";
    checkInteger(action, "the interface", interfaceNumber, 0xff);
    checkInteger(action, "the setting", alternateSetting, 0xff);
    checkOptions(action, options, HOST_OPTIONS);
    await this.#connection
      .setInterface(interfaceNumber, alternateSetting, options);
  }

  /** Clears the halt of an endpoint, on both sides. */
  async clearHalt(
    endpoint: InEndpoint | OutEndpoint,
    options: HostOptions = {},
  ): Promise<void> {
    checkOptions("clear a halt", options, HOST_OPTIONS);
    await this.#connection.clearHalt(endpoint, options);
  }

  /**
   * Suspends the device, and waits until its functions have noticed. Ends with
   * {@linkcode resume}; until then transfers fail.
   *
   * @throws {Deno.errors.NotSupported} At super speed on dummy_hcd, which has no
   * suspend there.
   */
  async suspend(options: HostOptions = {}): Promise<void> {
    checkOptions("suspend the device", options, HOST_OPTIONS);
    await this.#connection.suspend(options);
  }

  /** Resumes the device, and waits until its functions have noticed. */
  async resume(options: HostOptions = {}): Promise<void> {
    checkOptions("resume the device", options, HOST_OPTIONS);
    await this.#connection.resume(options);
  }

  /**
   * Detaches the gadget from its controller, and waits until the host has
   * noticed. A virtual controller has no cable to pull: the functions see
   * `"disable"` and `"unbind"`, where an unplugged cable has only the former.
   * Pending transfers fail.
   */
  async unplug(options: HostOptions = {}): Promise<void> {
    checkOptions("unplug the device", options, HOST_OPTIONS);
    await this.#connection.unplug(options);
  }

  /**
   * Attaches the gadget again to the same controller, and waits as
   * {@linkcode open} does. Also after the test itself has bound the gadget
   * anew: for the host that is another device, which this opens.
   */
  async plug(options: HostOptions = {}): Promise<void> {
    checkOptions("plug the device", options, HOST_OPTIONS);
    await this.#connection.plug(options);
  }

  /**
   * Records what the device and its host transfer from now on.
   *
   * @example
   * ```ts ignore
   * await using record = await host.record();
   * await host.write(link, new Uint8Array(1024), { zlp: "auto" });
   * const sizes = record.events
   *   .filter(({ type, endpoint }) => type === "complete" && endpoint === "tool.link")
   *   .map(({ length }) => length);
   * await Deno.writeFile("bus.pcapng", record.toPcapng());
   * ```
   *
   * @throws {Deno.errors.NotFound} Unless usbmon is loaded (`modprobe usbmon`).
   */
  async record(): Promise<BusRecord> {
    return new BusRecord(await this.#connection.recorded());
  }

  /**
   * Discards all transfers and closes the device; interfaces return to setting
   * 0. The gadget goes on. A second call returns the same promise.
   */
  close(): Promise<void> {
    return this.#connection.close();
  }

  /** Closes the device; see {@linkcode close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #patience(options: HostOptions): Patience {
    return this.#connection.patience(options);
  }
}
