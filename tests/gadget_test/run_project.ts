/**
 * Runs test files with `deno test`, as their authors do.
 *
 * @module
 */
import { plainText } from "../runner/results.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** How a run went. */
export interface ProjectRun {
  readonly code: number;
  /** Standard output, without colours. */
  readonly output: string;
  /** Both outputs. */
  readonly all: string;
}

/** The path of a test file of a project. */
export function project(name: string): string {
  return `${ROOT}tests/gadget_test/projects/${name}`;
}

/** The arguments of `deno` that run test files. */
export function denoTest(args: readonly string[]): string[] {
  const map = `--import-map=${ROOT}tests/import_map.json`;
  return ["test", "--no-check", "--cached-only", "--no-prompt", map, ...args];
}

/** Runs `deno test` with further arguments. */
export async function runProject(
  args: readonly string[],
  env: Readonly<Record<string, string>> = { USB_GADGET_TEST: "vm" },
): Promise<ProjectRun> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: denoTest(args),
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const [output, errors] = [stdout, stderr]
    .map((bytes) => plainText(new TextDecoder().decode(bytes)));
  return { code, output, all: output + errors };
}
