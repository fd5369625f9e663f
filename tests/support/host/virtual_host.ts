/**
 * A second virtual controller and its host: usbip-vudc and vhci_hcd, with a
 * socket as the cable. High speed at most. Unlike dummy_hcd it takes
 * isochronous endpoints, although no data ever moves on them.
 *
 * @module
 */
import { check } from "../../../ffi/errno.ts";
import { close, writeFile } from "../../../ffi/file.ts";

/** The controller's name. */
export const VUDC = "usbip-vudc.0";

const PLATFORM = "/sys/devices/platform";

const AF_UNIX = 1;
const SOCK_STREAM = 1;

/** `USB_SPEED_HIGH`, as vhci_hcd wants it. */
const SPEED_HIGH = 3;
/** Bus 1, device 2: any will do. */
const DEVICE_ID = 0x10002;

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** Loads the controller, and takes it away again when it is disposed of. */
export async function loadVirtualUdc(): Promise<AsyncDisposable> {
  await run("modprobe", "-a", "usbip-vudc", "vhci-hcd");
  return {
    [Symbol.asyncDispose]: () =>
      run("modprobe", "-r", "usbip-vudc", "vhci-hcd"),
  };
}

/** Connects the gadget that is bound to the controller with the host. */
export function connectVirtualHost(): void {
  const libc = Deno.dlopen("libc.so.6", {
    socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  });
  const ends = new Int32Array(2);
  check(libc.symbols.socketpair(AF_UNIX, SOCK_STREAM, 0, ends), {
    action: "make socket pair",
    syscall: "socketpair",
  });
  libc.close();
  // The kernel keeps what it needs of them.
  try {
    writeFile(`${PLATFORM}/${VUDC}/usbip_sockfd`, `${ends[0]}`);
    writeFile(
      `${PLATFORM}/vhci_hcd.0/attach`,
      `0 ${ends[1]} ${DEVICE_ID} ${SPEED_HIGH}`,
    );
  } finally {
    ends.forEach(close);
  }
}
