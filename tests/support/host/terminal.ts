/**
 * Serial cables as the host's drivers show them: terminals.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { shell } from "../machine/shell.ts";
import { until } from "../waiting/until.ts";

/** Finds the only USB terminal of the host. */
export function findTerminal(): string | undefined {
  try {
    const [entry] = Deno.readDirSync("/sys/bus/usb-serial/devices");
    return entry && `/dev/${entry.name}`;
  } catch {
    return undefined;
  }
}

/** Loads a driver, and waits for its terminal. */
export async function waitForTerminal(driver: string): Promise<string> {
  await shell(`modprobe ${driver}`);
  const isThere = () => {
    const path = findTerminal();
    return path !== undefined && existsSync(path);
  };
  await until(isThere, "the host has a terminal");
  return findTerminal()!;
}
