/**
 * Loaded before each test file. With GADGET_MAIN_THREAD=1 the package then behaves
 * as on the main thread, although test files run on other threads.
 *
 * @module
 */
import { assumeLasting } from "../../../ffi/isolate.ts";

if (Deno.env.get("GADGET_MAIN_THREAD") === "1") assumeLasting();
