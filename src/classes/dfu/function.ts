/**
 * Devices in DFU mode as a function of a gadget.
 *
 * @module
 */
import type {
  InterfaceDefinition,
  UsbFunction,
} from "../../definition/function.ts";
import { dfu } from "../../definition/functional_descriptor.ts";
import type { SessionEndedError } from "../../functionfs/session.ts";
import type { Session } from "../../functionfs/sessions.ts";
import { ClassCode } from "../../usb/class_code.ts";
import type { ControlHandler } from "../../usb/control.ts";
import { type ControlRoute, controlRoutes } from "../../usb/control_routes.ts";
import { OneGadget } from "../one_gadget.ts";
import { DfuRequest, directionOf, PROTOCOL, SUBCLASS } from "./codes.ts";
import { StreamBlocks } from "./blocks.ts";
import { DFUSE_VERSION, DfuSeBlocks, dfuSeName } from "./dfuse.ts";
import { DfuMachine } from "./machine.ts";
import { Occurrences } from "./occurrences.ts";
import { checkDfuMode, type DfuModeOptions } from "./options.ts";

type DfuFunction = UsbFunction<string, Dfu["interfaces"]>;

/**
 * A device in DFU mode (DFU 1.1): hosts write its firmware and read it, block by
 * block. It stands in `functions` of a gadget, and serves itself.
 *
 * Each memory area is an interface of its own, with a name. DFU 1.1 has one
 * interface with a setting for each area, but the kernel does not report which
 * setting the host has selected. dfu-util finds an area by its name all the same
 * (`-a NAME`), and by the number of the interface (`-i`), but not by the number of a
 * setting.
 *
 * The package keeps the state of each area, and stalls what the state does not
 * allow. While a write or a manifestation takes its time, the host is asked to
 * wait. Whatever ends the session of the host ends its transfer, too: the next
 * host finds dfuERROR with errUSBR, and clears it. If there was no transfer, it
 * finds dfuIDLE.
 *
 * By DFU 1.1 a device that is reset in DFU mode runs its new firmware. This one
 * stays in DFU mode unless the program does that: see {@linkcode left}.
 *
 * It needs Linux 6.12 or later.
 *
 * @example Firmware in memory
 * ```ts
 * import { Dfu, DfuError } from "@usb/gadget/dfu";
 *
 * const flash = new Uint8Array(1 << 20);
 * const bootloader = new Dfu({
 *   areas: [{
 *     name: "flash",
 *     read: (offset, length) => flash.subarray(offset, offset + length),
 *     write(offset, data) {
 *       if (offset + data.length > flash.length) {
 *         throw new DfuError("errADDRESS", "The firmware is too long");
 *       }
 *       flash.set(data, offset);
 *     },
 *   }],
 * });
 * // await using gadget = await Gadget.start({ ...ids, functions: [bootloader] });
 * ```
 *
 * @category Devices
 */
export class Dfu<N extends string = "dfu">
  implements UsbFunction<N, Dfu["interfaces"]> {
  /** The name of the function. */
  readonly name: N;
  /** An interface for each area, without endpoints. */
  readonly interfaces: readonly InterfaceDefinition[];
  /** @ignore Answers the class requests. */
  readonly control: ControlHandler;
  /** @ignore Serves a session. */
  readonly serve: (session: Session<DfuFunction>) => Promise<void>;
  readonly #gadget = new OneGadget<Session<DfuFunction>>();
  readonly #left = new Occurrences();
  /** Reports errors: work may outlive the session in which it began. */
  #report: (error: unknown) => void = () => {};

  /**
   * Makes the function.
   *
   * @throws {TypeError} For an unknown option, or one of the wrong type.
   * @throws {RangeError} Without areas or for more than 16, and for a number that
   * is out of range.
   */
  constructor(options: DfuModeOptions<N>) {
    checkDfuMode(options);
    const {
      areas,
      name = "dfu" as N,
      transferSize = 4096,
      manifestationTolerant = true,
      willDetach = false,
      pollTimeoutMs = 10,
    } = options;
    const attributes = { transferSize, manifestationTolerant, willDetach };
    this.name = name;
    const all = areas.map((area) => ({
      area,
      blocks: area.dfuse
        ? new DfuSeBlocks(area, area.dfuse, transferSize)
        : new StreamBlocks(area),
    }));
    this.interfaces = all.map(({ area, blocks }) => ({
      class: ClassCode.APPLICATION_SPECIFIC,
      subclass: SUBCLASS,
      protocol: PROTOCOL.dfu,
      description: area.dfuse ? dfuSeName(area, area.dfuse) : area.name,
      descriptors: [dfu({
        ...attributes,
        ...(area.dfuse ? { bcdDfu: DFUSE_VERSION } : {}),
        canDownload: blocks.canDownload,
        canUpload: blocks.canUpload,
      })],
    }));
    this.control = controlRoutes(all.flatMap(({ blocks }, index) => {
      const machine = new DfuMachine({
        ...attributes,
        blocks,
        pollTimeoutMs,
        onError: (error) => this.#report(error),
        onLeave: () => this.#left.happen(),
      });
      return Object.values(DfuRequest).map((request): ControlRoute => ({
        type: "class",
        request,
        direction: directionOf(request),
        index,
        handler: (setup) => machine.answer(setup),
      }));
    }));
    this.serve = (session) =>
      this.#gadget.serve(name, session, () => this.#serve(session));
  }

  /**
   * Resolves when the device next has to leave DFU mode and run its firmware: the
   * host resets it, the cable is unplugged, or with `willDetach` the manifestation
   * is over. Stop the gadget then, and start that of the firmware, or ignore it.
   */
  left(): Promise<void> {
    return this.#left.next();
  }

  async #serve({ signal, report }: Session<DfuFunction>): Promise<void> {
    this.#report = report;
    if (!signal.aborted) {
      await new Promise((resolve) =>
        signal.addEventListener("abort", resolve, { once: true })
      );
    }
    const { reason } = signal.reason as SessionEndedError;
    if (reason !== "reconfigured") this.#left.happen();
  }
}
