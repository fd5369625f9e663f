import { assertEquals } from "@std/assert";
import { readResults, summary } from "../runner/results.ts";

const OUTPUT = `running 2 tests from ./tests/kernel/a_test.ts
one ... ok (1s)
two ... FAILED (2s)

 ERRORS 

two => ./tests/kernel/a_test.ts:4:6
error: AssertionError: no

 FAILURES 

two => ./tests/kernel/a_test.ts:4:6
./tests/kernel/b_test.ts (uncaught error)

FAILED | 1 passed (3 steps) | 2 failed (3s)

error: Test failed
ok | 4 passed | 0 failed | 1 ignored (1s)
`;

Deno.test("readResults() adds up what deno test prints, and gathers the failures", () => {
  const results = {
    passed: 5,
    failed: 2,
    failures: [
      "two => ./tests/kernel/a_test.ts:4:6",
      "./tests/kernel/b_test.ts (uncaught error)",
    ],
  };
  assertEquals(readResults(OUTPUT), results);
  const coloured = OUTPUT.replace(" FAILURES ", "\x1b[31m FAILURES \x1b[0m")
    .replace("FAILED |", "\x1b[1mFAILED\x1b[0m |");
  assertEquals(readResults(coloured), results);
  assertEquals(readResults("two ... FAILED\n").failures, []);
});

Deno.test("summary() ends with the failures and the numbers", () => {
  assertEquals(
    summary({ passed: 3, failed: 0, failures: [] }),
    "Kernel tests: 3 passed, 0 failed",
  );
  assertEquals(
    summary({ passed: 3, failed: 1, failures: ["Linux 7.3: no"] }),
    "Failures:\n  Linux 7.3: no\nKernel tests: 3 passed, 1 failed",
  );
  const failures = Array.from({ length: 35 }, (_, index) => `${index}`);
  const lines = summary({ passed: 0, failed: 35, failures }).split("\n");
  assertEquals(lines.slice(-3), [
    "  29",
    "  and 5 more",
    "Kernel tests: 0 passed, 35 failed",
  ]);
});
