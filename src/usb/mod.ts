/**
 * The vocabulary of USB: chapter 9 constants, class codes, speeds, setup packets, languages. Pure.
 *
 * @module
 */

export * from "./class_code.ts";
export * from "./control.ts";
export { type ControlRoute, controlRoutes } from "./control_routes.ts";
export * from "./descriptor_type.ts";
export * from "./dfu_requests.ts";
export * from "./endpoint_attributes.ts";
export * from "./hid_requests.ts";
export * from "./mass_storage_requests.ts";
export * from "./printer_requests.ts";
export * from "./speed.ts";
export * from "./language.ts";
export * from "./request.ts";
export * from "./setup_packet.ts";
export * from "./still_image_requests.ts";
