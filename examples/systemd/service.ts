// Serves the function through the files that systemd has opened: see
// docs/boards.md. It can be restarted while the host stays connected.
import { FunctionFs } from "@usb/gadget";
import { echo, mountPoint } from "./echo_function.ts";

await using served = FunctionFs.inherit(echo, mountPoint);
const { link } = served.endpoints;
await link.readable.pipeTo(link.writable);
