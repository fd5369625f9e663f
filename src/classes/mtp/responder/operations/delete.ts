/**
 * DeleteObject (PTP 10.4.11).
 *
 * @module
 */
import { ALL, OperationCode } from "../../protocol/codes.ts";
import { ResponseError } from "../../protocol/response.ts";
import type { Device } from "../device.ts";
import type { ObjectNode } from "../object_node.ts";
import type { Operations } from "../operation.ts";
import { checkCapability, checkWritable, isReadOnly } from "../targets.ts";

/** The operation that deletes. */
export function deleteOperations(device: Device): Operations {
  const { objects } = device;
  return {
    [OperationCode.DeleteObject]: {
      async run({ parameters: [handle, format], signal }) {
        const deletion = new Deletion(device, signal);
        if (handle === ALL) {
          await deletion.removeAll(format);
        } else {
          const node = objects.node(handle);
          checkWritable(node.storage);
          await deletion.remove(node);
        }
        deletion.check();
      },
    },
  };
}

/** The removal of objects, which goes on where one cannot be removed. */
export class Deletion {
  readonly #device: Device;
  readonly #signal: AbortSignal;
  #removed = 0;
  readonly #errors: unknown[] = [];

  constructor(device: Device, signal: AbortSignal) {
    this.#device = device;
    this.#signal = signal;
  }

  /** Removes an object, with all that is in it. */
  async remove(node: ObjectNode): Promise<void> {
    try {
      await this.#removeContent(node);
      await this.#removeNode(node);
      this.#removed++;
    } catch (error) {
      this.#signal.throwIfAborted();
      this.#errors.push(error);
    }
  }

  /** Removes all objects, or those of a format. */
  async removeAll(format: number): Promise<void> {
    const { objects } = this.#device;
    const roots = objects.roots(ALL);
    const writable = roots.filter(({ storage }) => !isReadOnly(storage));
    if (roots.length > 0 && writable.length === 0) {
      throw new ResponseError("Store_Read_Only");
    }
    for (const root of writable) {
      const depth = format === 0 ? 1 : Infinity;
      const selected = [];
      for await (const node of objects.within(root, depth)) {
        this.#signal.throwIfAborted();
        if (format === 0 || node.format === format) selected.push(node);
      }
      for (const node of selected) {
        // With its folder, it can be gone.
        if (objects.find(node.handle) === node) await this.remove(node);
      }
    }
  }

  /** Fails unless all were removed. */
  check(): void {
    if (this.#errors.length === 0) return;
    const [cause] = this.#errors;
    if (this.#removed === 0) throw cause;
    throw new ResponseError("Partial_Deletion", { cause });
  }

  async #removeContent(folder: ObjectNode): Promise<void> {
    if (!folder.isFolder) return;
    for (const node of await this.#device.objects.children(folder)) {
      await this.remove(node);
    }
  }

  #removeNode(node: ObjectNode): Promise<void> {
    const { objects } = this.#device;
    const { store } = node.storage;
    checkCapability(store, "remove");
    return objects.exclusively(async () => {
      this.#signal.throwIfAborted();
      objects.node(node.handle);
      this.#device.closeEdits((it) => it === node);
      await store.remove(node.path);
      objects.forget(node);
    });
  }
}
