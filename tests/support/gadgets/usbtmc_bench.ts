/**
 * A test and measurement device without a kernel, and its host.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { FunctionSpeed } from "@usb/gadget";
import { type FakeSession, fakeSession } from "@usb/gadget/testing";
import { Usbtmc, type UsbtmcOptions } from "@usb/gadget/usbtmc";
import { UsbtmcHost } from "../host/usbtmc_host.ts";

/** A device in a session. */
export interface UsbtmcBench extends AsyncDisposable {
  readonly device: Usbtmc;
  readonly host: UsbtmcHost;
  /** Removes and returns the errors that were reported. */
  takeReported(): string[];
  /** Ends the session, and begins another one. */
  reconnect(): Promise<void>;
}

/** Serves a device. At the end, no error may have been reported. */
export function serveUsbtmc(
  options: Usbtmc | UsbtmcOptions,
  speed: FunctionSpeed = "high",
): UsbtmcBench {
  const device = options instanceof Usbtmc
    ? options as Usbtmc
    : new Usbtmc(options) as Usbtmc;
  const connect = () => {
    const session = fakeSession(device, { speed }) as unknown as FakeSession;
    const host = new UsbtmcHost(session, device.control);
    return { session, host, served: session.serve(), seen: 0 };
  };
  let now = connect();
  const takeReported = () => {
    const reported = now.session.reported.slice(now.seen);
    now.seen += reported.length;
    return reported.map((error) => `${error}`);
  };
  const disconnect = async () => {
    now.session.end();
    await now.served;
    assertEquals(takeReported(), []);
  };
  return {
    device,
    get host() {
      return now.host;
    },
    takeReported,
    async reconnect() {
      await disconnect();
      now = connect();
    },
    [Symbol.asyncDispose]: disconnect,
  };
}
