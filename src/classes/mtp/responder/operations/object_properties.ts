/**
 * Properties of one object: GetObjectPropsSupported, GetObjectPropDesc,
 * GetObjectPropValue, SetObjectPropValue (MTP 1.1 E.2.1 to E.2.4).
 *
 * @module
 */
import { DataType, OperationCode } from "../../protocol/codes.ts";
import { DatasetReader, DatasetWriter } from "../../protocol/dataset.ts";
import { ResponseError } from "../../protocol/response.ts";
import type { Device } from "../device.ts";
import type { Operations } from "../operation.ts";
import { PROPERTIES, propertyWith } from "../properties.ts";
import { setProperty } from "./set_property.ts";

/** How the values of a property are restricted (MTP 1.1, 5.3.2.2). */
const NO_FORM = 0;
const DATE_FORM = 3;

/** Operations on properties of one object. */
export function objectPropertyOperations(device: Device): Operations {
  return {
    [OperationCode.GetObjectPropsSupported]: {
      data: "to host",
      run({ parameters: [format] }) {
        checkFormat(format);
        const codes = PROPERTIES.map(({ code }) => code);
        return { data: new DatasetWriter().array16(codes).bytes };
      },
    },
    [OperationCode.GetObjectPropDesc]: {
      data: "to host",
      run({ parameters: [code, format] }) {
        const { type, settable, isDate } = propertyWith(code);
        checkFormat(format);
        const data = new DatasetWriter().u16(code).u16(type);
        data.u8(settable ? 1 : 0).value(type, type === DataType.STR ? "" : 0);
        data.u32(0); // no group
        data.u8(isDate ? DATE_FORM : NO_FORM);
        return { data: data.bytes };
      },
    },
    [OperationCode.GetObjectPropValue]: {
      data: "to host",
      async run({ parameters: [handle, code] }) {
        const node = await device.objects.current(handle);
        const { type, value } = propertyWith(code);
        return { data: new DatasetWriter().value(type, value(node)).bytes };
      },
    },
    [OperationCode.SetObjectPropValue]: {
      data: "from host",
      async run({ parameters: [handle, code], data }) {
        const node = device.objects.node(handle);
        const { type } = propertyWith(code);
        const reader = new DatasetReader(await data.dataset());
        const value = reader.value(type);
        if (reader.left > 0) throw new ResponseError("Invalid_Dataset");
        await setProperty(device, node, code, type, value);
      },
    },
  };
}

/**
 * All formats have the same properties, those that the device does not list as well:
 * libmtp 1.1.20 asks for that of a `.bin` before it sends one, and sends it without
 * a name if there are no properties.
 */
function checkFormat(format: number): void {
  if (format > 0xffff) {
    throw new ResponseError("Invalid_ObjectFormatCode");
  }
}
