/**
 * A disk and its host in memory, for tests of commands.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { FunctionSpeed } from "@usb/gadget";
import { MassStorage, type MassStorageOptions } from "@usb/gadget/mass-storage";
import { type FakeSession, fakeSession } from "@usb/gadget/testing";
import { BulkOnlyHost, fakePipe } from "../host/bulk_only_host.ts";

/** A disk in memory, with a host. */
export interface MemoryBench extends AsyncDisposable {
  readonly storage: MassStorage<string>;
  readonly host: BulkOnlyHost;
  /** Begins another session, as after a reset of the port. */
  reconnect(): Promise<void>;
}

/** Serves a disk to a host. At the end, it must have reported no errors. */
export function serveDisk(
  options: MassStorageOptions,
  speed: FunctionSpeed = "super",
): MemoryBench {
  const storage = new MassStorage(options);
  const connect = () => {
    const session = fakeSession(storage, { speed }) as unknown as FakeSession;
    const host = new BulkOnlyHost(fakePipe(session, storage.control));
    return { session, host, served: session.serve() };
  };
  let now = connect();
  const disconnect = async () => {
    now.session.end();
    await now.served;
    assertEquals(now.session.reported, []);
  };
  return {
    storage,
    get host() {
      return now.host;
    },
    async reconnect() {
      await disconnect();
      now = connect();
    },
    [Symbol.asyncDispose]: disconnect,
  };
}
