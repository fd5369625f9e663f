/**
 * How functions are opened.
 *
 * @module
 */
import type { KernelVersion } from "../compile/kernel_version.ts";

/** How to open a function. */
export interface FunctionFsOptions {
  /**
   * Interfaces of other functions before this one in its configuration.
   * @default {0}
   */
  readonly interfaceOffset?: number;
  /**
   * The AIO library to use: a file or soname, or `"syscall"` for none. By
   * default the installed libaio, or system calls where there is none.
   */
  readonly libaio?: string;
  /**
   * The kernel to write descriptors for: Linux before 6.4 wants another
   * version of Microsoft OS descriptors, and before 6.12 it refuses DFU. To be
   * given for a kernel whose release does not tell what it can do.
   * @default {the running one}
   */
  readonly kernel?: KernelVersion;
  /**
   * Let the kernel count events on an eventfd (FUNCTIONFS_EVENTFD), in place
   * of watching the control file with epoll. Makes no difference to a program.
   *
   * Off by default: kernels before 5.16 lose count of who uses the eventfd,
   * and can crash when the function is closed. They are refused.
   * @default {false}
   */
  readonly eventfd?: boolean;
}

/** How to take over a function; see {@linkcode FunctionFsOptions}. */
export type InheritOptions = Omit<FunctionFsOptions, "eventfd">;
