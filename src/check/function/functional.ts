/**
 * The rules for functional descriptors.
 *
 * @module
 */

import { isWithin } from "../../arguments/rules.ts";
import { hex, show } from "../../arguments/show.ts";
import {
  CCID_FIELDS,
  DFU_FIELDS,
  functionalKind,
  HID_FIELDS,
} from "../../compile/functional_encoding.ts";
import type {
  DfuDescriptor,
  FunctionalDescriptor,
  HidDescriptor,
} from "../../definition/functional_descriptor.ts";
import type { ProblemList } from "../problem.ts";
import { inWords } from "../shape.ts";
import { checkRaw, type InterfaceClass } from "./raw.ts";

/** A DFU transfer is one control transfer, and composite takes 4096 bytes in one. */
const MAX_DFU_TRANSFER = 4096;

const KINDS = {
  hid: {
    what: "A HID descriptor",
    wanted: "class HID (0x03)",
    fields: HID_FIELDS,
  },
  dfu: {
    what: "A DFU functional descriptor",
    wanted: "class 0xfe and subclass 0x01",
    fields: DFU_FIELDS,
  },
  ccid: {
    what: "A smart card descriptor",
    wanted: "class CCID (0x0b)",
    fields: CCID_FIELDS,
  },
} as const;

/** Checks the functional descriptor at `path`, below an interface of class `above`. */
export function checkFunctional(
  list: ProblemList,
  descriptor: FunctionalDescriptor,
  above: InterfaceClass,
  path: string,
): void {
  const { kind } = descriptor;
  if (kind === "raw") return checkRaw(list, descriptor.bytes, above, path);
  const { what, wanted, fields } = KINDS[kind];
  if (functionalKind(above.class, above.subclass) !== kind) {
    list.writeFails(
      "functional",
      path,
      `${what} stands below an interface of ${wanted} only, not of class ${
        hex(above.class)
      } and subclass ${hex(above.subclass)}: change the class or remove it`,
    );
  }
  const values: Readonly<Record<string, unknown>> = { ...descriptor };
  for (const [name, size] of fields) {
    const greatest = 2 ** (8 * size) - 1;
    list.range(values[name], [0, greatest], `${path}.${name}`, inWords(name));
  }
  if (kind === "hid") checkHid(list, descriptor, path);
  if (kind === "dfu") checkDfu(list, descriptor, path);
}

function checkHid(
  list: ProblemList,
  { report, reportLength }: HidDescriptor,
  path: string,
): void {
  if (report !== undefined && report.length !== reportLength) {
    list.configureFails(
      "functional",
      `${path}.reportLength`,
      `Report length is ${
        show(reportLength)
      }, but the report descriptor has ${report.length} bytes: leave the length out`,
    );
  } else if (reportLength === 0) {
    list.configureFails(
      "functional",
      `${path}.reportLength`,
      "The report descriptor has no bytes: give its length",
    );
  }
}

function checkDfu(
  list: ProblemList,
  { transferSize }: DfuDescriptor,
  path: string,
): void {
  if (isWithin(transferSize, 1, MAX_DFU_TRANSFER)) return;
  list.configureFails(
    "functional",
    `${path}.transferSize`,
    `Transfer size ${
      show(transferSize)
    } is not possible: a control transfer to a function has 1 to ${MAX_DFU_TRANSFER} bytes`,
  );
}
