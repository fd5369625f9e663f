/**
 * Sessions without a kernel.
 *
 * @module
 */
import type { AioContext } from "../../../ffi/aio/context.ts";
import {
  checkArgument,
  checkOptions,
  NUMBER,
  OBJECT,
  oneOf,
  type Rules,
} from "../../arguments/rules.ts";
import { compileFunction } from "../../check/compile_function.ts";
import type { CompiledEndpoint } from "../../compile/compile.ts";
import type { UsbFunction } from "../../definition/function.ts";
import { InEndpointCore } from "../../functionfs/endpoint/in_core.ts";
import {
  type EndpointObjects,
  nameEndpoints,
} from "../../functionfs/endpoint/objects.ts";
import { OutEndpointCore } from "../../functionfs/endpoint/out_core.ts";
import { Lifecycle } from "../../functionfs/lifecycle.ts";
import {
  type SessionEnd,
  SessionEndedError,
} from "../../functionfs/session.ts";
import type { Session } from "../../functionfs/sessions.ts";
import { FUNCTION_SPEEDS, type FunctionSpeed } from "../../usb/speed.ts";
import { FakeController } from "./controller.ts";
import { type FakeHost, fakeHost } from "./host.ts";
import { Wire } from "./wire.ts";

/**
 * The connection of a {@linkcode FakeSession}.
 *
 * @category Testing
 */
export interface FakeSessionOptions {
  /**
   * The speed, which decides the packet sizes.
   * @default {the fastest of the definition}
   */
  readonly speed?: FunctionSpeed;
  /**
   * Milliseconds after which a transfer of the host fails.
   * @default {1000}
   */
  readonly timeout?: number;
}

/**
 * A session without a kernel; see {@linkcode fakeSession}.
 *
 * @category Testing
 */
export interface FakeSession<F extends UsbFunction = UsbFunction>
  extends Session<F>, Disposable {
  /** The host's side of the endpoints. */
  readonly host: FakeHost;
  /** What {@linkcode Session.report} was called with. */
  readonly reported: readonly unknown[];
  /**
   * Calls `serve` of the definition with this session. Resolves when it has
   * returned, or has ended with {@linkcode SessionEndedError}; rejects with any
   * other error.
   */
  serve(): Promise<void>;
  /**
   * Ends the session, as if the cable was unplugged unless a reason says
   * otherwise: what is pending fails on both sides. A second call has no effect.
   */
  end(reason?: Exclude<SessionEnd, "reconfigured">): void;
}

/**
 * Makes a session of a function whose other end is in memory, for the test of
 * what serves it. Needs `--allow-ffi`, but no root and no kernel support.
 *
 * The endpoints are those of a real session: transfers, streams, `readExactly`,
 * `discard`, `halt` and zero-length packets are done by the same code. What
 * replaces the kernel, the controller and the bus differs in this:
 *
 * - A packet moves as soon as both sides are ready; there are no intervals, no
 *   FIFO of a controller and no limit of memory. Transfers run without turns of
 *   the event loop in between.
 * - Isochronous endpoints lose nothing and have no intervals: their transfers
 *   are those of bulk endpoints.
 * - There is one session, no control endpoint and no DMABUF. `descriptor()`
 *   returns the address of the definition and interval 1.
 *
 * @example
 * ```ts
 * import { bulkPair, type Session, usbFunction } from "@usb/gadget";
 * import { fakeSession } from "@usb/gadget/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const tool = usbFunction({
 *   name: "tool",
 *   interfaces: [{ class: 0xff, endpoints: { link: bulkPair() } }],
 *   async serve({ endpoints: { link } }) {
 *     for await (const request of link.transfers()) {
 *       await link.write(request.toReversed(), { zlp: "auto" });
 *     }
 *   },
 * });
 *
 * using session = fakeSession(tool);
 * const served = session.serve();
 * const { link } = session.endpoints;
 * await session.host.write(link, new Uint8Array([1, 2, 3]));
 * assertEquals(await session.host.read(link, 1024), new Uint8Array([3, 2, 1]));
 * session.end();
 * await served;
 * ```
 *
 * @throws {DefinitionError} If the definition has problems.
 * @throws {RangeError} If it has no descriptors for the speed.
 * @category Testing
 */
export function fakeSession<F extends UsbFunction>(
  definition: F,
  options: FakeSessionOptions = {},
): FakeSession<F> {
  const action = "make a session";
  checkArgument(action, "the definition", definition, OBJECT);
  checkOptions(action, options, OPTIONS);
  const { endpoints } = compileFunction(definition);
  const { speeds = FUNCTION_SPEEDS } = definition;
  const fastest = FUNCTION_SPEEDS.findLast((each) => speeds.includes(each))!;
  const { speed = fastest, timeout = 1000 } = options;
  if (!speeds.includes(speed)) {
    throw new RangeError(
      `Cannot ${action}: function "${definition.name}" has no descriptors for ${speed} speed`,
    );
  }
  return connect(definition, endpoints, speed, timeout);
}

const OPTIONS: Rules<FakeSessionOptions> = {
  speed: oneOf(...FUNCTION_SPEEDS),
  timeout: NUMBER,
};

function connect<F extends UsbFunction>(
  definition: F,
  compiled: readonly CompiledEndpoint[],
  speed: FunctionSpeed,
  timeout: number,
): FakeSession<F> {
  const lifecycle = new Lifecycle(definition.interfaces.length);
  const controller = new FakeController();
  const wires = new Map<string, Wire>();
  const cores = compiled.map((endpoint) => {
    const path = `fake/${definition.name}/${endpoint.file}`;
    const wire = new Wire(endpoint, endpoint.maxPacketSize[speed]!);
    wires.set(path, wire);
    const fd = controller.add(wire);
    const aio = controller as unknown as AioContext;
    const files = { fd, transferFd: fd, path, file: wire };
    const resources = { ...files, aio, lifecycle, compiled: endpoint };
    return endpoint.direction === "in"
      ? new InEndpointCore(resources)
      : new OutEndpointCore(resources);
  });
  lifecycle.onEnable(() => cores.forEach((each) => each.onEnable()));
  lifecycle.onDisable((ended) =>
    cores.forEach((each) => each.onDisable(ended))
  );
  lifecycle.hasSessions = true;
  lifecycle.bind();
  lifecycle.enable();
  const life = lifecycle.session;
  const missing = "a session without a kernel has no files";
  const endpoints: EndpointObjects<F> = nameEndpoints(
    cores,
    () => ({ missing }),
    life,
  );
  const end: FakeSession["end"] = (reason = "disabled") => {
    if (life.ended !== undefined) return;
    if (reason === "disabled") lifecycle.disable();
    else if (reason === "unbound") lifecycle.unbind();
    else lifecycle.close();
    for (const wire of wires.values()) wire.end();
  };
  const reported: unknown[] = [];
  const session: FakeSession<F> = {
    endpoints,
    get signal() {
      return life.signal;
    },
    reported,
    report: (error) => void reported.push(error),
    // Its bus is never suspended.
    wakeHost: () => {},
    host: fakeHost(wires, timeout),
    async serve() {
      const serve = definition.serve as
        | ((session: Session<F>) => unknown)
        | undefined;
      if (serve === undefined) {
        throw new TypeError(
          `Cannot serve a session: function "${definition.name}" has no "serve"`,
        );
      }
      try {
        await serve(session);
      } catch (error) {
        if (!(error instanceof SessionEndedError)) throw error;
      }
    },
    end,
    [Symbol.dispose]: () => end(),
  };
  return session;
}
