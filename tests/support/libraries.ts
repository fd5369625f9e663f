/**
 * Opens the native libraries when it is imported, before any test runs.
 *
 * They are opened on first use and never closed, which the resource sanitizer
 * would hold against the test that happens to come first.
 *
 * @module
 */
import { openAio } from "../../ffi/aio/calls.ts";

const { library } = openAio();
openAio({ library: "syscall" });

/**
 * The two ways to the AIO calls, as values for the `library` option. Tests of
 * the engine run with each.
 */
export const aioLibraries: readonly string[] = [library, "syscall"];

if (library === "syscall") {
  throw new Error(
    "Cannot test both AIO paths: install libaio (Debian: libaio1 or libaio1t64)",
  );
}
