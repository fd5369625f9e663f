/**
 * Numbers and names of DFU (DFU 1.1, 3 and 6.1.2).
 *
 * @module
 */

/** Values of `bRequest`. */
export const DfuRequest = {
  DETACH: 0,
  DNLOAD: 1,
  UPLOAD: 2,
  GETSTATUS: 3,
  CLRSTATUS: 4,
  GETSTATE: 5,
  ABORT: 6,
} as const;

/** One of the values of {@linkcode DfuRequest}. */
export type DfuRequest = (typeof DfuRequest)[keyof typeof DfuRequest];

/** Values of `bState`. */
export const DfuState = {
  APP_IDLE: 0,
  APP_DETACH: 1,
  IDLE: 2,
  DNLOAD_SYNC: 3,
  DNBUSY: 4,
  DNLOAD_IDLE: 5,
  MANIFEST_SYNC: 6,
  MANIFEST: 7,
  MANIFEST_WAIT_RESET: 8,
  UPLOAD_IDLE: 9,
  ERROR: 10,
} as const;

/** One of the values of {@linkcode DfuState}. */
export type DfuState = (typeof DfuState)[keyof typeof DfuState];

/** The requests that are answered with data. */
const IN_REQUESTS: readonly DfuRequest[] = [
  DfuRequest.UPLOAD,
  DfuRequest.GETSTATUS,
  DfuRequest.GETSTATE,
];

/** The direction of a request. */
export function directionOf(request: DfuRequest): "in" | "out" {
  return IN_REQUESTS.includes(request) ? "in" : "out";
}

/** What is wrong, `bStatus`, by its number. The first one means success. */
export const DFU_STATUSES = [
  "OK",
  "errTARGET",
  "errFILE",
  "errWRITE",
  "errERASE",
  "errCHECK_ERASED",
  "errPROG",
  "errVERIFY",
  "errADDRESS",
  "errNOTDONE",
  "errFIRMWARE",
  "errVENDOR",
  "errUSBR",
  "errPOR",
  "errUNKNOWN",
  "errSTALLEDPKT",
] as const satisfies readonly ("OK" | DfuErrorStatus)[];

/**
 * What is wrong, by the names of DFU 1.1, 6.1.2:
 *
 * - `"errTARGET"`: the file is not for this device.
 * - `"errFILE"`: the file is for this device, but fails a test of the vendor.
 * - `"errWRITE"`: the memory cannot be written.
 * - `"errERASE"`: the memory could not be erased.
 * - `"errCHECK_ERASED"`: the memory is not erased.
 * - `"errPROG"`: the memory could not be programmed.
 * - `"errVERIFY"`: what was programmed is not what was sent.
 * - `"errADDRESS"`: the address is out of range.
 * - `"errNOTDONE"`: the download has ended before all data has come.
 * - `"errFIRMWARE"`: the firmware is corrupt; the device cannot run it.
 * - `"errVENDOR"`: an error of the vendor.
 * - `"errUSBR"`: an unexpected reset of the bus.
 * - `"errPOR"`: an unexpected reset by power-on.
 * - `"errUNKNOWN"`: the cause is not known.
 * - `"errSTALLEDPKT"`: the device has stalled an unexpected request.
 *
 * @category Devices
 */
export type DfuErrorStatus =
  | "errTARGET"
  | "errFILE"
  | "errWRITE"
  | "errERASE"
  | "errCHECK_ERASED"
  | "errPROG"
  | "errVERIFY"
  | "errADDRESS"
  | "errNOTDONE"
  | "errFIRMWARE"
  | "errVENDOR"
  | "errUSBR"
  | "errPOR"
  | "errUNKNOWN"
  | "errSTALLEDPKT";

/** The answer to GETSTATUS: u8 bStatus, u24 bwPollTimeout, u8 bState, u8 iString. */
export function encodeStatus(
  status: "OK" | DfuErrorStatus,
  pollTimeoutMs: number,
  state: DfuState,
): Uint8Array {
  const time = pollTimeoutMs;
  const code = DFU_STATUSES.indexOf(status);
  return Uint8Array.of(code, time, time >> 8, time >> 16, state, 0);
}

/** The name of a request or a state, for messages. */
export function nameOf(
  codes: Readonly<Record<string, number>>,
  value: number,
): string {
  return Object.keys(codes).find((name) => codes[name] === value) ?? `${value}`;
}

/** `bInterfaceSubClass`. */
export const SUBCLASS = 0x01;

/** `bInterfaceProtocol`. */
export const PROTOCOL = { runtime: 0x01, dfu: 0x02 } as const;
