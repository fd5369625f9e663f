/**
 * Registers a function with the kernel: writes its descriptors and strings,
 * with files for both directions of its pairs where the kernel supports them.
 *
 * @module
 */
import { O_NONBLOCK, O_RDWR } from "../../ffi/abi.ts";
import { isSystemError } from "../../ffi/errno.ts";
import { close, open, write } from "../../ffi/file.ts";
import { canProxy, compileFunction } from "../check/compile_function.ts";
import type { CompiledFunction, CompileOptions } from "../compile/compile.ts";
import type { UsbFunction } from "../definition/function.ts";
import { decodeFunctionBlock } from "../inspect/decode_block.ts";
import { formatDescriptors } from "../inspect/format_descriptors.ts";
import type { InheritedFiles } from "./inherited_files.ts";

/** A function that the kernel knows. */
export interface RegisteredFunction {
  /** `ep0`, open and nonblocking. */
  readonly fd: number;
  readonly compiled: CompiledFunction;
  /** Why its pairs have no files for both directions, if they do not. */
  readonly noProxies: string;
}

/** Whether this kernel has refused FUNCTIONFS_RW_PROXY_EPS before. */
let kernelRefuses = false;

/**
 * Opens `ep0` and writes the descriptors and strings of a function.
 *
 * A kernel without files for both directions reports ENOSYS. Refused parts of
 * descriptors stay in the instance until `ep0` is closed, so another attempt
 * needs another `ep0`.
 *
 * @param path The path of `ep0`.
 * @param inherited The files, if another process has done all that.
 */
export function registerFunction(
  definition: UsbFunction,
  path: string,
  options: Omit<CompileOptions, "rwProxy">,
  inherited?: InheritedFiles,
): RegisteredFunction {
  const compile = (rwProxy: boolean) =>
    compileFunction(definition, { ...options, rwProxy });
  let noProxies = "";
  if (inherited !== undefined) {
    return {
      fd: inherited.take(path),
      compiled: compile(inherited.hasProxies),
      noProxies: "the process that registered the function did without",
    };
  }
  if (definition.rwProxy === false) {
    noProxies = "its function does without (rwProxy: false)";
  } else if (!canProxy(definition)) {
    noProxies =
      "there are files for both directions only where every endpoint of the function is in a pair";
  } else if (definition.rwProxy === true || !kernelRefuses) {
    try {
      const compiled = compile(true);
      return { fd: openControlFile(path, compiled), compiled, noProxies };
    } catch (error) {
      const refused = isSystemError(error, "ENOSYS");
      if (!refused || definition.rwProxy === true) throw error;
    }
  }
  const refused = noProxies === "";
  noProxies ||= "this kernel has no files for both directions, Linux 7.3 has";
  const compiled = compile(false);
  const fd = openControlFile(path, compiled);
  // Only now is it certain that nothing else was refused.
  if (refused) kernelRefuses = true;
  return { fd, compiled, noProxies };
}

function openControlFile(path: string, compiled: CompiledFunction): number {
  const call = { action: "open control endpoint" };
  const fd = open(path, O_RDWR | O_NONBLOCK, call);
  try {
    handshake(fd, path, compiled);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/**
 * Describes the function to the kernel. Its endpoint files appear, and it can
 * be bound to a UDC.
 *
 * @throws {Error} If the kernel refuses what is right for all known kernels.
 * The message shows what was written.
 */
export function handshake(
  fd: number,
  path: string,
  { descriptors, strings }: CompiledFunction,
): void {
  try {
    write(fd, descriptors, { action: "write descriptors", path });
    write(fd, strings, { action: "write strings", path });
  } catch (error) {
    if (isSystemError(error, "EINVAL", "ENOSYS")) {
      const tree = decodeFunctionBlock(descriptors, strings);
      error.message += `\n${formatDescriptors(tree)}`;
    }
    throw error;
  }
}
