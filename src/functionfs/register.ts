/**
 * Telling the kernel what a function is, with files for both directions of its
 * pairs where the kernel has them.
 *
 * @module
 */
import { isSystemError } from "../../ffi/errno.ts";
import { close } from "../../ffi/file.ts";
import { canProxy, compileFunction } from "../check/compile_function.ts";
import type { CompiledFunction, CompileOptions } from "../compile/compile.ts";
import type { UsbFunction } from "../definition/function.ts";
import { handshake, openControlFile } from "./control/file.ts";
import type { InheritedFiles } from "./inherited_files.ts";

/** A function that the kernel knows. */
export interface RegisteredFunction {
  /** `ep0`, open and nonblocking. */
  readonly fd: number;
  readonly compiled: CompiledFunction;
  /** Why its pairs have no files for both directions, where they have none. */
  readonly noProxies: string;
}

/** Whether this kernel has refused FUNCTIONFS_RW_PROXY_EPS before. */
let kernelRefuses = false;

/**
 * Opens `ep0` and writes the descriptors and the strings of a function.
 *
 * Whether the kernel has files for both directions it tells by ENOSYS. Parts
 * of descriptors that were refused stay in the instance until `ep0` is closed,
 * so that another attempt needs another `ep0`.
 *
 * @param path Where `ep0` lies.
 * @param inherited The files, where another process has done all that.
 */
export function registerFunction(
  definition: UsbFunction,
  path: string,
  options: Omit<CompileOptions, "rwProxy">,
  inherited?: InheritedFiles,
): RegisteredFunction {
  let noProxies = "";
  if (inherited !== undefined) {
    const rwProxy = inherited.hasProxies;
    return {
      fd: inherited.take(path),
      compiled: compileFunction(definition, { ...options, rwProxy }),
      noProxies: "whoever has registered the function did without",
    };
  }
  if (definition.rwProxy === false) {
    noProxies = "its function does without (rwProxy: false)";
  } else if (!canProxy(definition)) {
    noProxies =
      "there are files for both directions only where every endpoint of the function is in a pair";
  } else if (definition.rwProxy === true || !kernelRefuses) {
    try {
      const compiled = compileFunction(definition, {
        ...options,
        rwProxy: true,
      });
      return { fd: write(path, compiled), compiled, noProxies };
    } catch (error) {
      const refused = isSystemError(error, "ENOSYS");
      if (!refused || definition.rwProxy === true) throw error;
    }
  }
  const refused = noProxies === "";
  noProxies ||= "this kernel has no files for both directions, Linux 7.3 has";
  const compiled = compileFunction(definition, { ...options, rwProxy: false });
  const fd = write(path, compiled);
  // Only now it is certain that nothing else was refused.
  if (refused) kernelRefuses = true;
  return { fd, compiled, noProxies };
}

function write(path: string, compiled: CompiledFunction): number {
  const fd = openControlFile(path);
  try {
    handshake(fd, path, compiled);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}
