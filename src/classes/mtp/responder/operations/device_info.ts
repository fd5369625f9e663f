/**
 * GetDeviceInfo (PTP 10.4.1, MTP 1.1 D.2.1).
 *
 * @module
 */
import { EventCode, OperationCode } from "../../protocol/codes.ts";
import { DatasetWriter } from "../../protocol/dataset.ts";
import { FORMATS } from "../../protocol/formats.ts";
import type { Device } from "../device.ts";
import type { Operations } from "../operation.ts";
import { devicePropertiesOf } from "./device_properties.ts";

/** Hundredths: PTP 1.0, and Microsoft's extension 1.0. */
const VERSION = 100;
const MICROSOFT = 6;
/**
 * Not android.com, although there are its operations, which hosts find by their
 * codes: for a device with that name libmtp 1.1.20 lists no properties, and resets
 * it at the end, with all functions of the gadget.
 */
const EXTENSIONS = "microsoft.com: 1.0;";
const STANDARD_MODE = 0;

/** The operation that lists all others. */
export function deviceOperations(
  device: Device,
  others: Operations,
): Operations {
  const operations = [
    OperationCode.GetDeviceInfo,
    OperationCode.OpenSession,
    OperationCode.CloseSession,
    ...Object.keys(others).map(Number),
  ];
  const { manufacturer, model, version, serialNumber } = device.options;
  return {
    [OperationCode.GetDeviceInfo]: {
      data: "to host",
      withoutSession: true,
      run() {
        const info = new DatasetWriter();
        info.u16(VERSION).u32(MICROSOFT).u16(VERSION).string(EXTENSIONS);
        info.u16(STANDARD_MODE);
        info.array16(operations);
        info.array16(Object.values(EventCode));
        info.array16(devicePropertiesOf(device));
        info.array16([]).array16(FORMATS);
        info.string(manufacturer).string(model).string(version);
        info.string(serialNumber);
        return { data: info.bytes };
      },
    },
  };
}
