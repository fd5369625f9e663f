/**
 * Properties of the device (PTP 10.4.20 to 10.4.23, MTP 1.1 appendix C).
 *
 * @module
 */
import {
  ALL,
  DataType,
  DeviceProperty,
  OperationCode,
} from "../../protocol/codes.ts";
import {
  DatasetReader,
  DatasetWriter,
  type Value,
} from "../../protocol/dataset.ts";
import { ResponseError } from "../../protocol/response.ts";
import type { Device } from "../device.ts";
import type { Operations } from "../operation.ts";

/** Whether a host can set a property. */
const GET = 0;
const GET_SET = 1;
/** How values are restricted. */
const NO_FORM = 0;
const RANGE_FORM = 1;
/** A device of no certain kind, for PerceivedDeviceType. */
const GENERIC_DEVICE = 0;

/** A property that a host cannot set. */
interface FixedProperty {
  readonly type: number;
  readonly default: number;
  value(): number;
  /** Least, greatest, and the step between values. */
  readonly range?: readonly [number, number, number];
}

/** Properties that are numbers, by code. */
function fixedProperties({ options }: Device): Map<number, FixedProperty> {
  const { battery } = options;
  const properties = new Map<number, FixedProperty>();
  if (battery !== undefined) {
    properties.set(DeviceProperty.BatteryLevel, {
      type: DataType.UINT8,
      default: 100,
      value: () => Math.min(Math.max(Math.round(battery()), 0), 100),
      range: [0, 100, 1],
    });
  }
  properties.set(DeviceProperty.PerceivedDeviceType, {
    type: DataType.UINT32,
    default: GENERIC_DEVICE,
    value: () => GENERIC_DEVICE,
  });
  return properties;
}

/** The codes of all properties. */
export function devicePropertiesOf(device: Device): number[] {
  return [...fixedProperties(device).keys(), ...device.texts.keys()];
}

/** Operations on properties of the device. */
export function devicePropertyOperations(device: Device): Operations {
  const { texts, defaultTexts } = device;
  const fixed = fixedProperties(device);

  function find(code: number) {
    const property = fixed.get(code);
    if (property !== undefined) {
      const { type, value, range } = property;
      return { type, value: value(), initial: property.default, range };
    }
    const value = texts.get(code);
    if (value === undefined) {
      throw new ResponseError("DeviceProp_Not_Supported");
    }
    const initial = defaultTexts.get(code) as Value;
    return { type: DataType.STR, value, initial, range: undefined };
  }

  /** Fails unless a host can set a property. */
  function checkSettable(code: number): void {
    find(code);
    if (!texts.has(code)) throw new ResponseError("Access_Denied");
  }

  return {
    [OperationCode.GetDevicePropDesc]: {
      data: "to host",
      run({ parameters: [code] }) {
        const { type, value, initial, range } = find(code);
        const data = new DatasetWriter().u16(code).u16(type);
        data.u8(texts.has(code) ? GET_SET : GET);
        data.value(type, initial).value(type, value);
        data.u8(range === undefined ? NO_FORM : RANGE_FORM);
        range?.forEach((limit) => data.value(type, limit));
        return { data: data.bytes };
      },
    },
    [OperationCode.GetDevicePropValue]: {
      data: "to host",
      run({ parameters: [code] }) {
        const { type, value } = find(code);
        return { data: new DatasetWriter().value(type, value).bytes };
      },
    },
    [OperationCode.SetDevicePropValue]: {
      data: "from host",
      async run({ parameters: [code], data }) {
        checkSettable(code);
        texts.set(code, decodeText(await data.dataset()));
      },
    },
    [OperationCode.ResetDevicePropValue]: {
      run({ parameters: [code] }) {
        if (code !== ALL) checkSettable(code);
        const codes = code === ALL ? [...defaultTexts.keys()] : [code];
        for (const each of codes) texts.set(each, defaultTexts.get(each)!);
      },
    },
  };
}

function decodeText(bytes: Uint8Array): string {
  const data = new DatasetReader(bytes);
  try {
    const text = data.string();
    if (data.left === 0) return text;
  } catch (cause) {
    throw new ResponseError("Invalid_DeviceProp_Format", { cause });
  }
  throw new ResponseError("Invalid_DeviceProp_Format");
}
