/**
 * A drive of {@linkcode MassStorage}, for the program.
 *
 * @module
 */
import {
  checkOptions,
  FLAG,
  type Rules,
  SIGNAL,
} from "../../arguments/rules.ts";
import type { BlockDevice } from "./block_device/block_device.ts";
import { checkMedium } from "./options.ts";
import type { Drive } from "./scsi/drive.ts";

/**
 * How {@linkcode LogicalUnit.eject} treats a host that uses the medium.
 *
 * @category Devices
 */
export interface EjectOptions {
  /**
   * Whether to take the medium although the host has locked it, as when a cable
   * is unplugged: what the host has not written is lost.
   * @default {false}
   */
  readonly force?: boolean;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

const EJECT_OPTIONS: Rules<EjectOptions> = { force: FLAG, signal: SIGNAL };

/**
 * A drive of {@linkcode MassStorage}, whose medium can be changed while a host
 * uses it.
 *
 * @category Devices
 */
export class LogicalUnit {
  /** Its number. */
  readonly lun: number;
  readonly #drive: Drive;

  /** Made by {@linkcode MassStorage}. */
  constructor(lun: number, drive: Drive) {
    this.lun = lun;
    this.#drive = drive;
  }

  /** What is in the drive. */
  get medium(): BlockDevice | undefined {
    return this.#drive.medium;
  }

  /**
   * Whether the host has locked the drive (PREVENT ALLOW MEDIUM REMOVAL): Linux
   * does while it has the disk open, for example mounted.
   */
  get locked(): boolean {
    return this.#drive.locked;
  }

  /**
   * Puts a medium into the empty drive. The host's next command reports the
   * change; Linux looks every two seconds where udev is configured as usual.
   *
   * @throws {TypeError} If it is not a {@linkcode BlockDevice}, the drive has a
   * medium, or is not removable.
   * @throws {RangeError} If the blocks of the medium do not suit the drive.
   */
  insert(medium: BlockDevice): void {
    const action = this.#changing("insert medium into");
    checkMedium(action, medium, this.#drive.identity.type);
    if (this.#drive.medium !== undefined) {
      throw new TypeError(`Cannot ${action}: eject the medium in it first`);
    }
    this.#drive.insert(medium);
  }

  /**
   * Takes the medium out of the drive, when the host allows that and no command
   * uses it. Until then, a CD drive reports the request to the host; Linux's
   * desktops then unmount the disc.
   *
   * @returns The medium; `undefined` if the drive is empty, or the host has
   * ejected the medium meanwhile.
   * @throws {TypeError} If the drive is not removable.
   * @throws The reason of the signal, if it is aborted.
   */
  async eject(options: EjectOptions = {}): Promise<BlockDevice | undefined> {
    const action = this.#changing("eject medium of");
    checkOptions(action, options, EJECT_OPTIONS);
    const { force = false, signal } = options;
    const drive = this.#drive;
    const { medium } = drive;
    while (!force && drive.medium === medium && (drive.locked || drive.busy)) {
      await drive.released(signal);
    }
    signal?.throwIfAborted();
    if (medium === undefined || drive.medium !== medium) return undefined;
    drive.remove();
    return medium;
  }

  #changing(action: string): string {
    const what = `${action} logical unit ${this.lun}`;
    if (this.#drive.identity.removable) return what;
    throw new TypeError(`Cannot ${what}: it is not removable`);
  }
}
