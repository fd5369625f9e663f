/**
 * DMABUFs and fences of another driver: vgem, the kernel's virtual GPU, in place of
 * the cameras and displays of real boards.
 *
 * @module
 */
import { O_CLOEXEC, O_RDWR } from "../../../ffi/abi.ts";
import { close, ioctl, open } from "../../../ffi/file.ts";

// drm/drm.h, drm/drm_mode.h, drm/vgem_drm.h
const DRM_IOCTL_MODE_CREATE_DUMB = 0xc02064b2;
const DRM_IOCTL_PRIME_HANDLE_TO_FD = 0xc00c642d;
const DRM_IOCTL_VGEM_FENCE_ATTACH = 0xc0106441;
const DRM_IOCTL_VGEM_FENCE_SIGNAL = 0x40086442;
const VGEM_FENCE_WRITE = 1;

/** A buffer of vgem. */
export interface VgemBuffer {
  /** Its DMABUF, which the caller closes. */
  readonly fd: number;
  /**
   * Starts a read or write of the buffer by the virtual GPU.
   *
   * @returns A function that ends it.
   */
  use(how: "read" | "write"): () => void;
}

/** The virtual GPU. */
export class Vgem implements Disposable {
  readonly #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Loads the driver and opens its device. */
  static async open(): Promise<Vgem> {
    const { success, stderr } = await new Deno.Command("modprobe", {
      args: ["vgem"],
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return new Vgem(open("/dev/dri/card0", O_RDWR));
  }

  /** Allocates a buffer. */
  allocate(size: number): VgemBuffer {
    // An image of one line: height, width, bits per pixel, flags.
    const dumb = Uint32Array.of(1, size, 8, 0, 0, 0, 0, 0);
    this.#ioctl(DRM_IOCTL_MODE_CREATE_DUMB, dumb);
    const handle = dumb[4];
    const prime = Uint32Array.of(handle, O_CLOEXEC | O_RDWR, 0);
    this.#ioctl(DRM_IOCTL_PRIME_HANDLE_TO_FD, prime);
    return {
      fd: prime[2],
      use: (how) => {
        const flags = how === "write" ? VGEM_FENCE_WRITE : 0;
        const fence = Uint32Array.of(handle, flags, 0, 0);
        this.#ioctl(DRM_IOCTL_VGEM_FENCE_ATTACH, fence);
        return () => {
          const signal = Uint32Array.of(fence[2], 0);
          this.#ioctl(DRM_IOCTL_VGEM_FENCE_SIGNAL, signal);
        };
      },
    };
  }

  #ioctl(request: number, argument: Uint32Array<ArrayBuffer>): void {
    ioctl(this.#fd, request, new Uint8Array(argument.buffer), {
      action: "control vgem",
    });
  }

  /** Closes the device. */
  [Symbol.dispose](): void {
    close(this.#fd);
  }
}
