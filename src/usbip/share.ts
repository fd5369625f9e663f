/**
 * Gadgets for hosts on a network.
 *
 * @module
 */
import { POLLIN } from "../../ffi/abi.ts";
import { isSystemError } from "../../ffi/errno.ts";
import { close } from "../../ffi/file.ts";
import { watch } from "../../ffi/reactor.ts";
import { acceptFrom, listenAt, parseAddress, type Socket } from "./socket.ts";
import {
  CALLBACK,
  checkArgument,
  checkOptions,
  FLAG,
  isWithin,
  SIGNAL,
  TEXT,
} from "../arguments/rules.ts";
import type { Gadget } from "../gadget/gadget.ts";
import { Once } from "../functionfs/once.ts";
import { readUdc, USB_IP_DRIVER } from "../gadget/udc/udc.ts";
import { ClosedError, receive, send } from "./connection.ts";
import {
  BUS_ID_SIZE,
  decodeBusId,
  decodeRequest,
  encodeImport,
  encodeList,
  HEADER_SIZE,
  Request,
  type SharedDevice,
  Status,
  USB_IP_PORT,
} from "./protocol.ts";
import { endConnection, handOver, sharedDevice } from "./vudc.ts";

/** A client has this time to be authenticated, and to say what it wants. */
const PATIENCE_MS = 10_000;
/** After an error of the system, clients wait this long. */
const AFTER_ERROR_MS = 1000;
/** Clients that have not said it yet. */
const MAX_WAITING = 32;

/**
 * A client, as the network shows it.
 *
 * @category Network
 */
export interface UsbIpPeer {
  /** Its IP address, such as `"192.0.2.7"` or `"2001:db8::7"`. */
  readonly address: string;
  /** Its port. */
  readonly port: number;
}

/**
 * Where gadgets are shared, and with whom.
 *
 * @category Network
 */
export interface ShareOptions {
  /**
   * The IP address of this machine at which clients connect. All addresses
   * (`"0.0.0.0"`, `"::"`) need `allAddresses`.
   * @default {"127.0.0.1"}
   */
  readonly address?: string;
  /**
   * The port; 0 for one that is free.
   * @default {3240}
   */
  readonly port?: number;
  /**
   * Allows an address that stands for all addresses of this machine: every machine
   * that reaches one of them can use the device.
   * @default {false}
   */
  readonly allAddresses?: boolean;
  /**
   * Decides, within 10 s, whether a client may see and use the devices. One that
   * may not gets nothing: its connection is closed. An error that it throws
   * refuses the client, too.
   * @default {all may}
   */
  readonly authenticate?: (peer: UsbIpPeer) => boolean | Promise<boolean>;
  /**
   * Receives errors of `authenticate`, and of the system.
   * @default {prints to standard error}
   */
  readonly onError?: (error: unknown) => void;
  /** Ends the sharing. */
  readonly signal?: AbortSignal;
}

/**
 * Shares gadgets over a network by USB/IP: each one is a device that a client
 * attaches to its own USB, as if it were plugged in there. Clients are Linux
 * (`usbip attach -r ADDRESS -b usbip-vudc.0`) and Windows (usbip-win2).
 *
 * The gadgets stand on controllers of the kernel's usbip-vudc (`modprobe usbip-vudc
 * num=2` makes two). A client has a device until it detaches it, or the connection
 * ends; then another one can attach it. For the gadget, that is a cable. The
 * protocol is 1.1.1; the kernel itself transfers the data, at most at high speed.
 *
 * It needs Linux 7.3: older kernels crash when FunctionFS leaves usbip-vudc, and
 * binding a gadget there fails with `Deno.errors.NotSupported`. Name the controller
 * in the options of `Gadget.start()`.
 *
 * USB/IP has neither passwords nor encryption. By default, only programs of this
 * machine can connect, such as the end of an SSH tunnel (`ssh -L`) or a TLS server
 * (stunnel); `authenticate` can choose by addresses. Needs root.
 *
 * @param devices Gadgets, or names of controllers, whose gadgets other processes
 * have. One that is not bound is not listed.
 * @throws {TypeError} For an option that is unknown or of the wrong type, an
 * address that is none, all addresses without `allAddresses`, or a gadget on
 * another controller.
 * @throws {Deno.errors.NotFound} If a controller does not exist, or a gadget was
 * never bound to one.
 * @throws {Deno.errors.AddrInUse} If another program has the port.
 *
 * @example A device for another machine
 * ```ts ignore
 * const gadget = await Gadget.start(definition, { udc: "usbip-vudc.0" });
 * await using shared = shareOverNetwork([gadget]);
 * console.log(`Attach it: usbip attach -r 127.0.0.1 -b ${gadget.udc.name}`);
 * ```
 *
 * @category Network
 */
export function shareOverNetwork(
  devices: readonly (Gadget | string)[],
  options: ShareOptions = {},
): SharedGadgets {
  const action = "share gadgets";
  checkArgument(action, "the devices", devices, DEVICES);
  checkOptions(action, options, {
    address: TEXT,
    port: PORT_NUMBER,
    allAddresses: FLAG,
    authenticate: CALLBACK,
    onError: CALLBACK,
    signal: SIGNAL,
  });
  const { address = "127.0.0.1", port = USB_IP_PORT, allAddresses = false } =
    options;
  const bytes = parseAddress(address);
  if (bytes === undefined) {
    throw new TypeError(
      `Cannot ${action}: "address" must be an IP address, is "${address}"`,
    );
  }
  if (bytes.every((byte) => byte === 0) && !allAddresses) {
    throw new TypeError(
      `Cannot ${action}: "${address}" stands for all addresses of this machine, and USB/IP has no password: give one address, or allAddresses: true`,
    );
  }
  for (const device of devices) {
    const udc = typeof device === "string" ? readUdc(device) : device.udc;
    if (udc.controllerDriver === USB_IP_DRIVER) continue;
    throw new TypeError(
      `Cannot ${action}: "${udc.name}" is no controller for USB/IP: load the kernel's module usbip-vudc, and start the gadget with { udc: "usbip-vudc.0" }`,
    );
  }
  options.signal?.throwIfAborted();
  const socket = listenAt({ address, port }, {
    action: `listen at ${address}, port ${port}`,
  });
  return new Server(devices, socket, options);
}

/**
 * Gadgets that are shared, until the object is closed.
 *
 * @category Network
 */
export interface SharedGadgets extends AsyncDisposable {
  /** The address of this machine at which clients connect. */
  readonly address: string;
  /** The port at which clients connect. */
  readonly port: number;
  /**
   * Ends the sharing: no client can connect, and those that have a device lose it.
   * Resolves when the port is free.
   */
  close(): Promise<void>;
}

class Server implements SharedGadgets {
  readonly address: string;
  readonly port: number;
  readonly #shared: readonly (Gadget | string)[];
  readonly #options: ShareOptions;
  readonly #end = new AbortController();
  readonly #watch: ReturnType<typeof watch>;
  readonly #socket: number;
  readonly #closing = new Once();
  /** Those that have not been answered. */
  readonly #clients = new Set<Promise<void>>();

  constructor(
    shared: readonly (Gadget | string)[],
    { fd, address, port }: Socket,
    options: ShareOptions,
  ) {
    this.address = address;
    this.port = port;
    this.#shared = [...shared];
    this.#options = options;
    this.#socket = fd;
    this.#watch = watch(fd, POLLIN, () => this.#accept());
    options.signal?.addEventListener("abort", () => this.close(), {
      signal: this.#end.signal,
    });
  }

  close(): Promise<void> {
    return this.#closing.run(async () => {
      this.#end.abort(new ClosedError("The sharing has ended"));
      await this.#watch.stop();
      close(this.#socket);
      for (const { busId } of this.#devices()) endConnection(busId);
      await Promise.all(this.#clients);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #devices(): SharedDevice[] {
    return this.#shared.flatMap((each, index) => {
      if (typeof each === "string") return sharedDevice(each, index + 1) ?? [];
      return each.bound ? sharedDevice(each.udc.name, index + 1) ?? [] : [];
    });
  }

  #accept(): void {
    let client: Socket | undefined;
    try {
      client = acceptFrom(this.#socket, {});
    } catch (error) {
      this.#report(error);
      // No file descriptor is free, for example.
      this.#watch.pause();
      const timer = setTimeout(() => this.#watch.resume(), AFTER_ERROR_MS);
      Deno.unrefTimer(timer);
    }
    if (client === undefined) return;
    if (this.#clients.size >= MAX_WAITING) return close(client.fd);
    const served = this.#serve(client);
    this.#clients.add(served);
    served.finally(() => this.#clients.delete(served));
  }

  async #serve({ fd, address, port }: Socket): Promise<void> {
    const signal = AbortSignal.any([
      this.#end.signal,
      AbortSignal.timeout(PATIENCE_MS),
    ]);
    try {
      const { authenticate = () => true } = this.#options;
      const isAllowed = await Promise.race([
        authenticate({ address, port }),
        rejection(signal),
      ]);
      if (isAllowed === true) await this.#answer(fd, signal);
    } catch (error) {
      const isOver = error === signal.reason || error instanceof ClosedError ||
        isSystemError(error, "ECONNRESET", "EPIPE", "ETIMEDOUT");
      if (!isOver) this.#report(error);
    } finally {
      // The kernel keeps it if a controller has it.
      close(fd);
    }
  }

  /** One request for each connection, as usbipd does. */
  async #answer(fd: number, signal: AbortSignal): Promise<void> {
    const request = decodeRequest(await receive(fd, HEADER_SIZE, signal));
    if (request === Request.DEVLIST) {
      await send(fd, encodeList(this.#devices()), signal);
    }
    if (request !== Request.IMPORT) return;
    const busId = decodeBusId(await receive(fd, BUS_ID_SIZE, signal));
    const device = this.#devices().find((it) => it.busId === busId);
    const status = device ? handOver(busId, fd) : Status.NO_DEVICE;
    const answer = device && status === Status.OK ? device : status;
    // The client sends nothing before it has the answer.
    await send(fd, encodeImport(answer), signal);
  }

  #report(error: unknown): void {
    const { onError = (error) => console.error(error) } = this.#options;
    onError(error);
  }
}

/** Rejects when the signal is aborted. */
function rejection(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => reject(signal.reason));
  promise.catch(() => {}); // if nothing waits for it any longer
  return promise;
}

const DEVICES = {
  expected: "an array of gadgets or names of controllers",
  accepts: (value: unknown) =>
    Array.isArray(value) &&
    value.every((each) =>
      typeof each === "string" || typeof each === "object" && each !== null
    ),
};

const PORT_NUMBER = {
  expected: "an integer from 0 to 65535",
  accepts: (value: unknown) => isWithin(value, 0, 0xffff),
};
