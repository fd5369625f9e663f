/**
 * A second virtual controller and its host: usbip-vudc and vhci_hcd, connected by a
 * socket. It supports up to high speed. Unlike dummy_hcd it accepts isochronous
 * endpoints, but moves no data on them.
 *
 * @module
 */
import { check } from "../../../ffi/errno.ts";
import { close, writeFile } from "../../../ffi/file.ts";
import { ERRNO } from "../../../ffi/libc.ts";

/** The controller's name. */
export const VUDC = "usbip-vudc.0";

const PLATFORM = "/sys/devices/platform";

const AF_UNIX = 1;
const SOCK_STREAM = 1;

/** `USB_SPEED_HIGH`, as vhci_hcd expects it. */
const SPEED_HIGH = 3;
/** Bus 1, device 2; any value works. */
const DEVICE_ID = 0x10002;

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** Loads the controller, and unloads it on disposal. */
export async function loadVirtualUdc(): Promise<AsyncDisposable> {
  await run("modprobe", "-a", "usbip-vudc", "vhci-hcd");
  return {
    [Symbol.asyncDispose]: () =>
      run("modprobe", "-r", "usbip-vudc", "vhci-hcd"),
  };
}

/** Connects the controller's gadget to the host. */
export function connectVirtualHost(): void {
  const libc = Deno.dlopen("libc.so.6", {
    socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  });
  const ends = new Int32Array(2);
  check(libc.symbols.socketpair(AF_UNIX, SOCK_STREAM, 0, ends), ERRNO[0], {
    action: "make socket pair",
    syscall: "socketpair",
  });
  libc.close();
  // The kernel keeps its own references.
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
