import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { project, runProject } from "./run_project.ts";

const VARIABLES = "--allow-env=USB_GADGET_TEST,USB_GADGET_TEST_AGENT";

Deno.test("where a test cannot run, it fails with the reason, or is ignored", async () => {
  const { code, output } = await runProject([VARIABLES, project("nowhere.ts")]);
  assertEquals(code, 1);
  assert(/^has to run \.\.\. FAILED/m.test(output), output);
  assert(/^may be left out \.\.\. ignored/m.test(output), output);
  assertStringIncludes(
    output,
    "Cannot run the test: not in a VM (it needs --allow-all)",
  );
});

Deno.test("a test that must run here says what is missing", async () => {
  const { code, output } = await runProject(
    [VARIABLES, "--filter=has to run", project("nowhere.ts")],
    { USB_GADGET_TEST: "here" },
  );
  assertEquals(code, 1);
  assertStringIncludes(
    output,
    "Cannot run the test: not here (it needs --allow-ffi)",
  );
});

Deno.test("USB_GADGET_TEST has two values", async () => {
  const { code, output } = await runProject(
    [VARIABLES, project("nowhere.ts")],
    { USB_GADGET_TEST: "there" },
  );
  assertEquals(code, 1);
  assertStringIncludes(
    output,
    'Cannot use USB_GADGET_TEST "there": it must be "here" or "vm"',
  );
});
