/**
 * Is loaded before each test file. With GADGET_MAIN_THREAD=1 the package then
 * does what it does on the main thread, on which no test file runs.
 *
 * @module
 */
import { assumeLasting } from "../../../ffi/isolate.ts";

if (Deno.env.get("GADGET_MAIN_THREAD") === "1") assumeLasting();
