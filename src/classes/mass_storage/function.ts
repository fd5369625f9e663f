/**
 * Disks and CD drives as a function of a gadget.
 *
 * @module
 */
import { bulkPair } from "../../definition/endpoint_builders.ts";
import type {
  InterfaceDefinition,
  UsbFunction,
} from "../../definition/function.ts";
import type { PairEndpointDefinition } from "../../definition/endpoint.ts";
import type { Session } from "../../functionfs/sessions.ts";
import { ClassCode } from "../../usb/class_code.ts";
import type { ControlHandler } from "../../usb/control.ts";
import { controlRoutes } from "../../usb/control_routes.ts";
import { OneGadget } from "../one_gadget.ts";
import { BulkOnlyTransport } from "./bulk_only/transport.ts";
import { LogicalUnit } from "./logical_unit.ts";
import {
  checkMassStorageOptions,
  type MassStorageOptions,
  unitOf,
} from "./options.ts";
import { massStorageRequests } from "./requests.ts";
import { Drive } from "./scsi/drive.ts";

const SCSI = 0x06;
const BULK_ONLY = 0x50;

type DiskFunction = UsbFunction<string, MassStorage["interfaces"]>;

/**
 * Disks and CD drives whose blocks come from the program. It stands in `functions`
 * of a gadget, and serves itself: Bulk-Only Transport 1.0 with its thirteen cases
 * and reset recovery; of SPC-4, SBC-3 and MMC-6 the commands that Linux, Windows
 * and macOS send.
 *
 * The gadget needs a `serialNumber` of at least 12 hexadecimal digits (Bulk-Only
 * Transport, 4.1.1), by which hosts identify a disk.
 *
 * What a block device throws fails the host's command (see {@linkcode
 * BlockDevice}). Commands of all units run one after another; one that the host
 * has given up ends without effect on the host's next ones.
 *
 * After an invalid command wrapper, both endpoints are halted until the host
 * resets the device (6.6.1). FunctionFS cannot keep an endpoint halted when the
 * host clears the halt: commands that come before the reset are not executed, and
 * halt the endpoints again.
 *
 * @example
 * ```ts
 * import { memoryDisk, MassStorage } from "@usb/gadget/mass-storage";
 * import { fakeSession } from "@usb/gadget/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = new MassStorage({ luns: [memoryDisk(8 << 20)] });
 * // await using gadget = await Gadget.start({ ...ids, functions: [storage] });
 *
 * using session = fakeSession(storage);
 * const served = session.serve();
 * const { link } = session.endpoints;
 * const testUnitReady = new Uint8Array(31);
 * testUnitReady.set([0x55, 0x53, 0x42, 0x43]); // the signature
 * testUnitReady[14] = 6; // the length of the command
 * await session.host.write(link, testUnitReady);
 * const status = await session.host.read(link, 13);
 * assertEquals(status[12], 0);
 * session.end();
 * await served;
 * ```
 *
 * @category Devices
 */
export class MassStorage<N extends string = "disk">
  implements UsbFunction<N, MassStorage["interfaces"]> {
  /** The name of the function. */
  readonly name: N;
  /** The only interface. */
  readonly interfaces: readonly [
    InterfaceDefinition & {
      readonly endpoints: { readonly link: PairEndpointDefinition<"bulk"> };
    },
  ];
  /** @ignore Answers the class requests. */
  readonly control: ControlHandler;
  /** @ignore Serves a session. */
  readonly serve: (
    session: Session<UsbFunction<string, MassStorage["interfaces"]>>,
  ) => Promise<void>;
  readonly #units: readonly LogicalUnit[];
  readonly #transport: BulkOnlyTransport;
  readonly #gadget = new OneGadget<Session<DiskFunction>>();

  /**
   * Makes the function.
   *
   * @throws {TypeError} For an unknown option, or one of the wrong type.
   * @throws {RangeError} If there are no logical units or more than 16, or the
   * blocks of a medium do not suit its drive.
   */
  constructor(options: MassStorageOptions<N>) {
    checkMassStorageOptions(options);
    const { luns, stall = true, description } = options;
    this.name = options.name ?? ("disk" as N);
    const drives = luns.map((given, lun) => {
      const { identity, medium, onEject } = unitOf(lun, given);
      return new Drive(identity, medium, (ejected) => {
        try {
          onEject?.(ejected);
        } catch (error) {
          this.#gadget.session?.report(error);
        }
      });
    });
    this.#units = drives.map((drive, lun) => new LogicalUnit(lun, drive));
    this.#transport = new BulkOnlyTransport(drives, stall);
    this.interfaces = [{
      class: ClassCode.MASS_STORAGE,
      subclass: SCSI,
      protocol: BULK_ONLY,
      endpoints: { link: bulkPair() },
      ...(description === undefined ? {} : { description }),
    }];
    this.control = controlRoutes(massStorageRequests({
      maxLun: drives.length - 1,
      reset: () => this.#transport.reset(),
    }));
    this.serve = (session) =>
      this.#gadget.serve(
        this.name,
        session,
        () => this.#transport.serve(session),
      );
  }

  /** The logical units, by number. */
  get luns(): readonly LogicalUnit[] {
    return this.#units;
  }
}
