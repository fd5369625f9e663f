import { assertEquals } from "@std/assert";
import { project, runProject } from "./run_project.ts";

const GOLDEN = new URL("failures.txt", import.meta.url);
const ROOT = new URL("../../", import.meta.url).href;

/** What differs from run to run, from machine to machine, and from kernel to kernel. */
function withoutDetails(output: string): string {
  return output
    // Progress: the first run installs and fetches, a slow machine waits.
    .replace(/^vm: .*\n/gm, "")
    .replaceAll(ROOT, "ROOT/")
    .replaceAll(Deno.execPath(), "deno")
    .replace(/(--filter)=[0-9a-f-]+ .*$/gm, "$1=SECRET")
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "SECRET")
    .replace(/ \((\d+(ms|s|m)){1,2}\)/g, " (TIME)")
    // Deno's remark on a slow machine.
    .replace(/'[^'\n]*' has been running for over \(TIME\)\n/g, "")
    .replace(/((?:src|ffi)\/[\w/]+\.ts):\d+:\d+/g, "$1:N:N")
    .replace(/^ {2}process \d+ (in \w+|running):/gm, "  process N STATE:")
    .replace(/\/dev\/bus\/usb\/\d+\/\d+/g, "/dev/bus/usb/N/N")
    .replace(/\/lib\/modules\/\S+/g, "/lib/modules/RELEASE")
    .replace(/(page_alloc\.c):\d+ at (\w+)\+\S+, CPU#\d+: \S+/g, "$1:N at $2")
    // Of the kernel's log, what says why.
    .replace(/^ {2}\[ *\d+\.\d+\] /gm, "  [TIME] ")
    .replace(
      /^ {2}\[TIME\] (?!.*(WARNING|ffs_epfile_write_iter|panic -|sysrq_handle_crash)).*\n/gm,
      "",
    )
    .replace(/\+0x[0-9a-f]+\/0x[0-9a-f]+/g, "");
}

Deno.test("every failure is reported with its cause, and the tests after it run", async () => {
  const { code, output } = await runProject([
    "--allow-all",
    project("failures.ts"),
  ]);
  assertEquals(code, 1, output);
  const report = withoutDetails(output);
  if (Deno.args.includes("--update")) {
    return await Deno.writeTextFile(GOLDEN, report);
  }
  assertEquals(report, await Deno.readTextFile(GOLDEN));
});
