/**
 * Opens the native libraries on import, where that is allowed.
 *
 * They are opened on first use and never closed. The resource sanitizer of
 * `Deno.test` would otherwise report them as a leak of the first test.
 *
 * @module
 */
import { openAio } from "../../ffi/aio/calls.ts";
import { systemCalls } from "../../ffi/aio/system_calls.ts";
import { libc } from "../../ffi/libc.ts";
import { isGranted } from "./permissions.ts";

if (Deno.build.os === "linux" && isGranted({ name: "ffi" })) {
  libc();
  // Closes the requests of an isolate that can end, as that of a test file can.
  systemCalls();
  openAio();
}
