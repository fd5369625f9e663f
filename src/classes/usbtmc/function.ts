/**
 * Test and measurement devices as a function of a gadget.
 *
 * @module
 */
import { bulkPair, interruptIn } from "../../definition/endpoint_builders.ts";
import type {
  InEndpointDefinition,
  PairEndpointDefinition,
} from "../../definition/endpoint.ts";
import type {
  InterfaceDefinition,
  UsbFunction,
} from "../../definition/function.ts";
import type { Session } from "../../functionfs/sessions.ts";
import { ClassCode } from "../../usb/class_code.ts";
import type { ControlHandler } from "../../usb/control.ts";
import { controlRoutes } from "../../usb/control_routes.ts";
import { OneGadget } from "../one_gadget.ts";
import {
  messageHandler,
  type RemoteState,
  type UsbtmcOptions,
} from "./options.ts";
import { usbtmcRequests } from "./requests.ts";
import { Notifications } from "./transport/notifications.ts";
import { Transport } from "./transport/transport.ts";

const USBTMC = 0x03;
const USB488 = 0x01;
const NOTIFICATION_PACKET = 2;
const NOTIFICATION_INTERVAL_MS = 4;

/** Bits of the status byte that the package sets: a response, a service request. */
const AVAILABLE = 0x10;
const SERVICE = 0x40;

type UsbtmcFunction = UsbFunction<string, Usbtmc["interfaces"]>;

/**
 * A test and measurement device: messages from the host, and responses to it. It
 * stands in `functions` of a gadget, and serves itself: USBTMC 1.0 with USB488
 * 1.0. {@linkcode Instrument} is the same with commands in SCPI.
 *
 * Messages and responses are of any length. They are received and sent in parts,
 * over any number of transfers; a response ends a transfer early at the TermChar
 * that the host has asked for.
 *
 * What the host aborts or clears is dropped, and has no effect on the next
 * message, which waits only for a pending `onMessage`. A transfer to the host that
 * is aborted is not lost: the next request of the host gets its data again.
 *
 * Unlike USBTMC 4.2.1.2 demands, the endpoint is not halted when the host aborts a
 * message: python-usbtmc would not clear the halt.
 *
 * In a gadget with several functions it should be the first one: Linux sends some
 * class requests to interface 0.
 *
 * @example
 * ```ts
 * import { Usbtmc } from "@usb/gadget/usbtmc";
 * import { assertEquals } from "@std/assert";
 *
 * let received = 0;
 * const recorder = new Usbtmc({
 *   async onMessage(message) {
 *     for await (const part of message) received += part.byteLength;
 *     return `${received}\n`;
 *   },
 * });
 * // await using gadget = await Gadget.start({ ...ids, functions: [recorder] });
 * assertEquals(recorder.remote, "local");
 * ```
 *
 * @category Devices
 */
export class Usbtmc<N extends string = "usbtmc">
  implements UsbFunction<N, Usbtmc["interfaces"]> {
  /** The name of the function. */
  readonly name: N;
  /** The only interface. */
  readonly interfaces: readonly [
    InterfaceDefinition & {
      readonly endpoints: {
        readonly link: PairEndpointDefinition<"bulk">;
        readonly notifications: InEndpointDefinition<"interrupt">;
      };
    },
  ];
  /** @ignore Answers the class requests. */
  readonly control: ControlHandler;
  /** @ignore Serves a session. */
  readonly serve: (
    session: Session<UsbFunction<string, Usbtmc["interfaces"]>>,
  ) => Promise<void>;
  readonly #options: UsbtmcOptions;
  readonly #transport: Transport;
  readonly #notifications = new Notifications();
  readonly #gadget = new OneGadget<Session<UsbtmcFunction>>();
  /** REN: whether the next message takes the control. */
  #remoteEnabled = false;
  #isRemote = false;
  #isLockedOut = false;
  #requestsService = false;

  /**
   * Makes the function.
   *
   * @throws {TypeError} For an unknown option, or one of the wrong type.
   */
  constructor(options: UsbtmcOptions<N>) {
    const onMessage = messageHandler(options);
    this.#options = options;
    const { onTrigger, onIndicatorPulse, description } = options;
    this.name = options.name ?? ("usbtmc" as N);
    this.#transport = new Transport({
      message: async (message) => {
        if (this.#remoteEnabled) this.#setRemote(() => this.#isRemote = true);
        return await onMessage(message) ?? undefined;
      },
      trigger: onTrigger,
      queryError: (kind) => this.onQueryError(kind),
      availability: () => this.onAvailability(),
    });
    this.interfaces = [{
      class: ClassCode.APPLICATION_SPECIFIC,
      subclass: USBTMC,
      protocol: USB488,
      endpoints: {
        link: bulkPair(),
        notifications: interruptIn({
          maxPacketSize: NOTIFICATION_PACKET,
          intervalMs: NOTIFICATION_INTERVAL_MS,
        }),
      },
      ...(description === undefined ? {} : { description }),
    }];
    this.control = controlRoutes(usbtmcRequests({
      transport: this.#transport,
      clear: () => this.#guard(() => options.onClear?.()),
      hasTrigger: onTrigger !== undefined,
      isScpi: this.isScpi,
      pulse: onIndicatorPulse,
      sendStatus: (tag) => {
        this.#notifications.sendStatus(tag, this.#status());
        this.#requestsService = false;
      },
      enableRemote: (isEnabled) => {
        this.#remoteEnabled = isEnabled;
        if (!isEnabled) this.#setRemote(() => this.#forgetRemote());
      },
      goToLocal: () => this.#setRemote(() => this.#isRemote = false),
      lockOut: () => {
        if (!this.#remoteEnabled) return;
        this.#setRemote(() => this.#isLockedOut = true);
      },
    }));
    this.serve = (session) =>
      this.#gadget.serve(this.name, session, () => this.#serve(session));
  }

  /** Who controls the device. */
  get remote(): RemoteState {
    const state = this.#isRemote ? "remote" : "local";
    return this.#isLockedOut ? `${state} lockout` : state;
  }

  /**
   * Requests service: the host learns of it and of the status byte, and reads the
   * byte or asks for more. The request ends when it reads the byte. Has no effect
   * while there is no host.
   */
  requestService(): void {
    if (this.#gadget.session === undefined) return;
    this.#requestsService = true;
    this.#notifications.requestService(this.#status());
  }

  /** @ignore Whether it understands IEEE 488.2 and SCPI. */
  protected get isScpi(): boolean {
    return false;
  }

  /** @ignore Whether a response waits for the host. */
  protected get hasResponse(): boolean {
    return this.#transport.hasResponse;
  }

  /** @ignore A response was not read, or does not exist. */
  protected onQueryError(_kind: "interrupted" | "unterminated"): void {}

  /** @ignore Whether a response waits for the host has changed. */
  protected onAvailability(): void {}

  /** @ignore Reports an error that no caller awaits. */
  protected report(error: unknown): void {
    this.#gadget.session?.report(error);
  }

  async #serve(session: Session<UsbtmcFunction>): Promise<void> {
    this.#requestsService = false;
    this.#notifications.open(session.endpoints.notifications);
    try {
      await this.#transport.serve(session);
    } finally {
      this.#notifications.close();
      this.#setRemote(() => this.#forgetRemote());
    }
  }

  #status(): number {
    const { statusByte = () => 0 } = this.#options;
    return statusByte() & ~(AVAILABLE | SERVICE) |
      (this.hasResponse ? AVAILABLE : 0) |
      (this.#requestsService ? SERVICE : 0);
  }

  #forgetRemote(): void {
    this.#remoteEnabled = false;
    this.#isRemote = false;
    this.#isLockedOut = false;
  }

  #setRemote(change: () => void): void {
    const before = this.remote;
    change();
    const after = this.remote;
    if (after !== before) this.#guard(() => this.#options.onRemote?.(after));
  }

  /** Calls the program; what it throws is reported. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.report(error);
    }
  }
}
