/**
 * What `@usb/gadget/hid` exports of report descriptors.
 *
 * @module
 */
export { ReportDescriptor, reportDescriptor } from "./descriptor.ts";
export type { ReportField, UsageRange } from "./field.ts";
export type { ReportItem, ReportItemType } from "./items/encoding.ts";
export {
  logicalRange,
  physicalRange,
  pop,
  push,
  reportCount,
  reportId,
  reportSize,
  unit,
  unitExponent,
} from "./items/global_items.ts";
export {
  collection,
  type CollectionType,
  feature,
  input,
  type InputOptions,
  output,
  type OutputOptions,
  padding,
} from "./items/main_items.ts";
export { rawItem } from "./items/raw_item.ts";
export type { UnitName } from "./items/units.ts";
export {
  type NamedUsageItem,
  type ReportItems,
  usage,
  usagePage,
  usageRange,
  type UsageReference,
  usages,
} from "./items/usage_items.ts";
export {
  ReportDescriptorError,
  type ReportDescriptorProblem,
} from "./problem.ts";
export { ReportLayout, type ReportType } from "./report_layout.ts";
export type { ReportValue, ReportValues } from "./values.ts";
