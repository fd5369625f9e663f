/**
 * Taking the gadget of a function off the bus.
 *
 * @module
 */
import { Errno, errorOf } from "../../../ffi/errno.ts";
import { exists, list } from "../../../ffi/file.ts";
import { listMounts } from "../../../ffi/mount.ts";
import { gadgetsDirectory } from "../../gadget/configfs/directory.ts";
import { TreeWriter } from "../../gadget/configfs/writer.ts";
import type { InterceptedFunction } from "../../functionfs/transfer/interception.ts";

/** The cable of one function's gadget. */
export class Cable {
  readonly #mountPoint: string;
  readonly #events: InterceptedFunction["lifecycle"]["events"];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor({ mountPoint, lifecycle }: InterceptedFunction) {
    this.#mountPoint = mountPoint;
    this.#events = lifecycle.events;
    this.#events.listen(() => {}, () => {
      this.#closed = true;
      clearTimeout(this.#timer);
    });
  }

  /**
   * Detaches the gadget from its controller, as if its cable were unplugged, and
   * attaches it again after some milliseconds. Does nothing if it is unplugged
   * already. A failure becomes an event of the function.
   */
  unplug(ms: number): void {
    if (this.#timer !== undefined || this.#closed) return;
    this.#attempt(() => {
      const tree = new TreeWriter(findGadget(this.#mountPoint));
      const { udc } = tree;
      if (udc === "") return;
      tree.setUdc("");
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        // Another part of the program may have attached it.
        this.#attempt(() => tree.udc === "" && tree.setUdc(udc));
      }, ms);
    });
  }

  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!this.#events.report(error)) {
        console.error("Failed to inject a disconnect:", error);
      }
    }
  }
}

/** The directory of the gadget that a mounted FunctionFS instance belongs to. */
function findGadget(mountPoint: string): string {
  const instance = listMounts().findLast((it) =>
    it.target === mountPoint && it.type === "functionfs"
  )?.source;
  const gadgets = gadgetsDirectory();
  const gadget = list(gadgets).find(({ name }) =>
    exists(`${gadgets}/${name}/functions/ffs.${instance}`)
  );
  if (gadget !== undefined) return `${gadgets}/${gadget.name}`;
  throw errorOf(
    Errno.ENOENT,
    `Cannot disconnect the device: no gadget in configfs has the function that is mounted at ${mountPoint}`,
    { syscall: "open", path: gadgets },
  );
}
