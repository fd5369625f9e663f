/**
 * Opens the native libraries on import, before any test runs.
 *
 * They are opened on first use and never closed. The resource sanitizer would
 * otherwise report this as a leak of the first test.
 *
 * @module
 */
import { openAio } from "../../../ffi/aio/calls.ts";
import { fileCalls } from "../../../ffi/files/symbols.ts";
import { socketCalls } from "../../../src/usbip/socket.ts";

const { library } = openAio();
openAio({ library: "syscall" });
fileCalls();
socketCalls();

/**
 * The two ways to make AIO calls, as values of the `library` option. Tests of the
 * engine run with each.
 */
export const aioLibraries: readonly string[] = [library, "syscall"];

if (library === "syscall") {
  throw new Error(
    "Cannot test both AIO paths: install libaio (Debian: libaio1 or libaio1t64)",
  );
}
