/**
 * A gadget's directory in configfs.
 *
 * @module
 */
import { isSystemError } from "../../ffi/errno.ts";
import {
  exists,
  list,
  mkdir,
  readTextFile,
  rmdir,
  symlink,
  unlink,
  writeFile,
} from "../../ffi/file.ts";
import { listMounts, mount, unmount } from "../../ffi/mount.ts";
import { type GadgetDefinition, instanceName } from "./gadget_definition.ts";
import { UndoStack } from "./undo_stack.ts";

const CONFIGFS = "/sys/kernel/config";
/** FunctionFS instances are mounted here. */
const MOUNTS = "/run/usb-gadget";
/** Language of the strings: English (United States). */
const LANGUAGE = "0x409";

/** A gadget in configfs that this process has made, not bound yet. */
export class GadgetTree {
  /** The gadget's directory. */
  readonly path: string;
  /** Where each function's FunctionFS is mounted, in the order of functions. */
  readonly mountPoints: readonly string[];
  readonly #undo: UndoStack;

  private constructor(path: string, mountPoints: string[], undo: UndoStack) {
    this.path = path;
    this.mountPoints = mountPoints;
    this.#undo = undo;
  }

  /** Makes the directory and mounts the functions; on failure, nothing is left. */
  static create(definition: GadgetDefinition, name: string): GadgetTree {
    const undo = new UndoStack();
    try {
      const path = `${gadgetsDirectory()}/${name}`;
      const mountPoints = build(definition, name, path, undo);
      return new GadgetTree(path, mountPoints, undo);
    } catch (error) {
      undo.run();
      throw error;
    }
  }

  /** Attaches the gadget to a UDC. */
  bind(udc: string): void {
    writeFile(`${this.path}/UDC`, udc, {
      action: `bind gadget to UDC "${udc}"`,
      hint: "the kernel log tells why",
    });
  }

  /** Detaches the gadget from its UDC, if it has one. */
  unbind(): void {
    if (readTextFile(`${this.path}/UDC`) === "") return;
    try {
      writeFile(`${this.path}/UDC`, "\n", { action: "unbind gadget" });
    } catch (error) {
      // The kernel has unbound it in the meantime.
      if (!isSystemError(error, "ENODEV")) throw error;
    }
  }

  /**
   * Removes the mounts and the directory.
   *
   * @throws {AggregateError} With what could not be removed, after all the
   * rest was.
   */
  remove(): void {
    const errors = this.#undo.run();
    if (errors.length > 0) {
      throw new AggregateError(
        errors,
        `Cannot remove all of gadget: ${this.path}: ${errors.join("; ")}`,
      );
    }
  }
}

/** The directory of all gadgets. configfs is mounted if nobody has done it. */
function gadgetsDirectory(): string {
  if (!listMounts().some(({ type }) => type === "configfs")) {
    mount({
      source: "none",
      target: CONFIGFS,
      type: "configfs",
      hint: "gadgets are made in configfs, by root",
    });
  }
  const entry = listMounts().find(({ type }) => type === "configfs");
  const path = `${entry?.target ?? CONFIGFS}/usb_gadget`;
  if (!exists(path)) {
    throw new Deno.errors.NotFound(
      `Cannot find ${path}: load the kernel's gadget support with "modprobe libcomposite"`,
    );
  }
  return path;
}

function build(
  definition: GadgetDefinition,
  name: string,
  path: string,
  undo: UndoStack,
): string[] {
  const directory = (at: string, action = "make gadget") => {
    mkdir(at, { action });
    undo.push(() => rmdir(at, { action: "remove gadget" }));
  };
  const attribute = (at: string, value: string | number | undefined) => {
    if (value === undefined) return;
    writeFile(at, String(value), { action: "set gadget attribute" });
  };

  directory(path);
  const { maxPower = 500, selfPowered = false } = definition;
  attribute(`${path}/idVendor`, definition.vendorId);
  attribute(`${path}/idProduct`, definition.productId);
  attribute(`${path}/bcdDevice`, definition.deviceVersion ?? 0x0100);
  attribute(`${path}/bDeviceClass`, definition.class);
  attribute(`${path}/bDeviceSubClass`, definition.subclass);
  attribute(`${path}/bDeviceProtocol`, definition.protocol);
  attribute(`${path}/max_speed`, definition.maxSpeed);

  const strings = `${path}/strings/${LANGUAGE}`;
  directory(strings);
  attribute(`${strings}/manufacturer`, definition.manufacturer);
  attribute(`${strings}/product`, definition.product);
  attribute(`${strings}/serialnumber`, definition.serialNumber);

  const configuration = `${path}/configs/c.1`;
  directory(configuration);
  attribute(`${configuration}/MaxPower`, maxPower);
  attribute(`${configuration}/bmAttributes`, selfPowered ? 0xc0 : 0x80);

  return definition.functions.map((each) => {
    const instance = instanceName(name, each.name);
    const functionPath = `${path}/functions/ffs.${instance}`;
    directory(functionPath, `make function "${each.name}"`);
    const link = `${configuration}/ffs.${instance}`;
    symlink(functionPath, link, { action: `add function "${each.name}"` });
    undo.push(() => unlink(link, { action: "remove function" }));
    return mountInstance(instance, undo);
  });
}

function mountInstance(instance: string, undo: UndoStack): string {
  if (!exists(MOUNTS)) mkdir(MOUNTS, { mode: 0o755 });
  const target = `${MOUNTS}/${instance}`;
  mkdir(target, { action: "make mount point", mode: 0o700 });
  undo.push(() => rmdir(target, { action: "remove mount point" }));
  mount({ source: instance, target, type: "functionfs" });
  undo.push(() => {
    try {
      unmount(target);
    } catch (error) {
      // Another program still has a file open. The mount ends with it.
      if (!isSystemError(error, "EBUSY")) throw error;
      unmount(target, { lazy: true });
    }
  });
  return target;
}

/** The names of the gadgets that exist. */
export function listGadgets(): string[] {
  return list(gadgetsDirectory()).map(({ name }) => name);
}
