/**
 * MTP devices as a function of a gadget.
 *
 * @module
 */
import { checkArgument, OBJECT, TEXT } from "../../arguments/rules.ts";
import { bulkPair, interruptIn } from "../../definition/endpoint_builders.ts";
import type {
  InEndpointDefinition,
  PairEndpointDefinition,
} from "../../definition/endpoint.ts";
import type {
  InterfaceDefinition,
  UsbFunction,
} from "../../definition/function.ts";
import {
  compatibleId,
  type MicrosoftOsFeature,
} from "../../definition/microsoft_os.ts";
import type { Session } from "../../functionfs/sessions.ts";
import { ClassCode } from "../../usb/class_code.ts";
import { type ControlHandler, Stall } from "../../usb/control.ts";
import { controlRoutes } from "../../usb/control_routes.ts";
import { OneGadget } from "../one_gadget.ts";
import { MtpStorage, type StorageOptions } from "./mtp_storage.ts";
import { checkMtpOptions, type MtpOptions, storageOptions } from "./options.ts";
import { stillImageRequests } from "./requests.ts";
import { Device } from "./responder/device.ts";
import { operationsOf } from "./responder/operations/mod.ts";
import type { Storage } from "./responder/storage.ts";
import type { ObjectStore } from "./store/object_store.ts";
import { StoreWatch } from "./store_watch.ts";
import { EventQueue } from "./transport/events.ts";
import { Transport } from "./transport/transport.ts";

const STILL_IMAGE = 0x01;
const PIMA_15740 = 0x01;
/** The longest event has three parameters. */
const EVENT_PACKET = 28;
const EVENT_INTERVAL_MS = 8;

type MtpFunction = UsbFunction<string, Mtp["interfaces"]>;

/** A storage that the device has. */
interface Entry {
  readonly storage: Storage;
  watch: StoreWatch | undefined;
}

/**
 * A media player or a phone: folders and files of the program, which file managers
 * of the host show and change. It stands in `functions` of a gadget, and serves
 * itself: MTP 1.1 over PTP (Still Image Capture Device Definition 1.0), with
 * Android's extension.
 *
 * Operations run one after another. One that the host cancels ends without
 * effect on the next one, which waits only for calls of a store that are pending.
 * Changes in stores that can be watched, and of storages, are sent as events. At
 * most 64 wait for a host that does not poll; beyond that, one event has the host
 * read everything again.
 *
 * In a gadget with several functions it should be the first one: libmtp sends its
 * class requests to interface 0.
 *
 * @example
 * ```ts
 * import { type ObjectStore, Mtp } from "@usb/gadget/mtp";
 * import { assertEquals } from "@std/assert";
 *
 * const text = new TextEncoder().encode("Hello\n");
 * const store: ObjectStore = {
 *   list: () => [{ name: "hello.txt", kind: "file", size: text.length }],
 *   look: () => ({ name: "hello.txt", kind: "file", size: text.length }),
 *   open: () => ({
 *     byteLength: text.length,
 *     read(offset, into) {
 *       const part = text.subarray(offset, offset + into.length);
 *       into.set(part);
 *       return part.length;
 *     },
 *     close() {},
 *   }),
 * };
 * const mtp = new Mtp({ storages: [{ store, name: "Notes" }] });
 * // await using gadget = await Gadget.start({ ...ids, functions: [mtp] });
 * assertEquals(mtp.storages[0].readOnly, true);
 * ```
 *
 * @category Devices
 */
export class Mtp<N extends string = "mtp">
  implements UsbFunction<N, Mtp["interfaces"]> {
  /** The name of the function. */
  readonly name: N;
  /** The only interface. */
  readonly interfaces: readonly [
    InterfaceDefinition & {
      readonly endpoints: {
        readonly link: PairEndpointDefinition<"bulk">;
        readonly events: InEndpointDefinition<"interrupt">;
      };
    },
  ];
  /** @ignore Makes Windows use its MTP driver, unless it is a camera. */
  readonly microsoftOs: readonly MicrosoftOsFeature[];
  /** @ignore Answers the class requests. */
  readonly control: ControlHandler;
  /** @ignore Serves a session. */
  readonly serve: (
    session: Session<UsbFunction<string, Mtp["interfaces"]>>,
  ) => Promise<void>;
  readonly #device: Device;
  readonly #storages = new Map<MtpStorage, Entry>();
  #lastVolume = 0;
  readonly #transport: Transport;
  readonly #events = new EventQueue();
  readonly #gadget = new OneGadget<Session<MtpFunction>>();

  /**
   * Makes the function.
   *
   * @throws {TypeError} For an unknown option, or one of the wrong type.
   */
  constructor(options: MtpOptions<N>) {
    checkMtpOptions(options);
    const {
      capture,
      description = capture === undefined ? "MTP" : "Camera",
      manufacturer = "Linux",
      model = "MTP device",
      version = "1.0",
      serialNumber = "0".repeat(32),
      friendlyName = model,
      battery,
      thumbnail,
    } = options;
    this.name = options.name ?? ("mtp" as N);
    this.microsoftOs = capture === undefined ? [compatibleId("MTP")] : [];
    this.#device = new Device({
      manufacturer,
      model,
      version,
      serialNumber,
      friendlyName,
      ...(battery === undefined ? {} : { battery }),
      ...(thumbnail === undefined ? {} : {
        thumbnail: (storage, path) => thumbnail(this.#public(storage), path),
      }),
      ...(capture === undefined ? {} : {
        capture: async (storage, signal) => {
          const path = await capture(this.#public(storage), signal);
          checkArgument("take picture", 'what "capture" returns', path, TEXT);
          return path;
        },
      }),
    });
    this.#device.onEvent = (...event) => this.#events.send(...event);
    this.#device.onError = (error) => this.#gadget.session?.report(error);
    for (const [index, storage] of options.storages.entries()) {
      this.#add(`make MTP device with storage ${index}`, storage);
    }
    this.#transport = new Transport(operationsOf(this.#device), {
      onOpen: () => this.#events.open(this.#gadget.session!.endpoints.events),
      onClose: () => {
        this.#events.close();
        this.#device.endSession();
      },
    });
    this.interfaces = [{
      class: ClassCode.STILL_IMAGE,
      subclass: STILL_IMAGE,
      protocol: PIMA_15740,
      description,
      endpoints: {
        link: bulkPair(),
        events: interruptIn({
          maxPacketSize: EVENT_PACKET,
          intervalMs: EVENT_INTERVAL_MS,
        }),
      },
    }];
    this.control = controlRoutes(stillImageRequests({
      cancel: (id) => this.#transport.cancel(id),
      reset: () => this.#transport.reset(),
      getStatus: () => this.#transport.status(),
      getExtendedEvent: () => {
        const data = this.#events.extendedData();
        if (data === undefined) throw new Stall("No event was sent");
        return data;
      },
    }));
    this.serve = (session) =>
      this.#gadget.serve(this.name, session, () => this.#serve(session));
  }

  /** The storages, in the order in which they were added. */
  get storages(): readonly MtpStorage[] {
    return [...this.#storages.keys()];
  }

  /**
   * Adds a storage. A host that is connected sees it at once, if it polls events.
   *
   * @throws {TypeError} If it is neither a store nor options with one.
   */
  addStorage(storage: ObjectStore | StorageOptions): MtpStorage {
    return this.#add("add storage", storage);
  }

  /**
   * Removes a storage. What the host does with its objects fails from now on.
   *
   * @throws {TypeError} If it is not, or no longer, a storage of this device.
   */
  removeStorage(storage: MtpStorage): void {
    checkArgument("remove storage", "the storage", storage, OBJECT);
    const entry = this.#storages.get(storage);
    if (entry === undefined) {
      throw new TypeError(
        "Cannot remove storage: it is not one of this device",
      );
    }
    this.#storages.delete(storage);
    entry.watch?.[Symbol.dispose]();
    this.#device.removeStorage(entry.storage.id);
  }

  #add(action: string, given: ObjectStore | StorageOptions): MtpStorage {
    const added = new MtpStorage(storageOptions(action, given));
    const { store, name, removable, readOnly } = added;
    const volume = `${++this.#lastVolume}`;
    const storage = this.#device.addStorage({
      store,
      name,
      volume,
      removable,
      readOnly,
    });
    const entry: Entry = { storage, watch: undefined };
    this.#storages.set(added, entry);
    const { session } = this.#gadget;
    if (session !== undefined) this.#watch(entry, session);
    return added;
  }

  #public(storage: Storage): MtpStorage {
    for (const [found, entry] of this.#storages) {
      if (entry.storage === storage) return found;
    }
    throw new Error("The storage was removed");
  }

  async #serve(session: Session<MtpFunction>): Promise<void> {
    for (const entry of this.#storages.values()) this.#watch(entry, session);
    try {
      await this.#transport.serve(session);
    } finally {
      for (const entry of this.#storages.values()) {
        entry.watch?.[Symbol.dispose]();
        entry.watch = undefined;
      }
    }
  }

  #watch(entry: Entry, session: Session<MtpFunction>): void {
    try {
      entry.watch = new StoreWatch(
        this.#device,
        entry.storage,
        (error) => session.report(error),
      );
    } catch (error) {
      session.report(error);
    }
  }
}
