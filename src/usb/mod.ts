/**
 * The vocabulary of USB: chapter 9 constants, class codes, speeds, setup packets, languages. Pure.
 *
 * @module
 */

export * from "./class_code.ts";
export * from "./control.ts";
export * from "./descriptor_type.ts";
export * from "./endpoint_attributes.ts";
export * from "./speed.ts";
export * from "./language.ts";
export * from "./request.ts";
export * from "./setup_packet.ts";
