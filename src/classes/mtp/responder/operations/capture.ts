/**
 * InitiateCapture (PTP 10.4.14): the host takes a picture.
 *
 * @module
 */
import { EventCode, OperationCode } from "../../protocol/codes.ts";
import { ResponseError, responseTo } from "../../protocol/response.ts";
import type { Device } from "../device.ts";
import type { Operations } from "../operation.ts";
import type { Storage } from "../storage.ts";
import { firstStorage } from "../targets.ts";

/** The operation, if the device is a camera. */
export function captureOperations(device: Device): Operations {
  const { capture } = device.options;
  if (capture === undefined) return {};

  /** Never rejects. */
  async function take(
    storage: Storage,
    signal: AbortSignal,
    transactionId: number,
  ): Promise<void> {
    let event: number = EventCode.CaptureComplete;
    try {
      const path = await capture!(storage, signal);
      if (!await device.objects.announce(storage.id, path)) {
        throw new Error(
          `Cannot inform the host of a picture: there is no "${path}" in storage "${storage.name}"`,
        );
      }
    } catch (error) {
      if (responseTo(error) === "Store_Full") event = EventCode.StoreFull;
      else if (!signal.aborted) device.onError?.(error);
    }
    if (signal.aborted) return;
    device.endCapture();
    device.onEvent?.(event, [], transactionId);
  }

  return {
    [OperationCode.InitiateCapture]: {
      run({ parameters: [storageId, format], transactionId }) {
        if (device.isCapturing) throw new ResponseError("Device_Busy");
        if (format !== 0) {
          throw new ResponseError("Specification_By_Format_Unsupported");
        }
        const { objects } = device;
        const storage = storageId === 0
          ? firstStorage(objects)
          : objects.root(storageId).storage;
        const signal = device.beginCapture();
        return { after: () => void take(storage, signal, transactionId) };
      },
    },
  };
}
