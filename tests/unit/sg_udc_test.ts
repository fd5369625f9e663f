import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { parseArguments } from "../../src/vm/arguments.ts";
import { VmError } from "../../src/vm/errors.ts";
import { addScatterGather } from "../../src/vm/udc/sg_dummy_hcd.ts";
import { SourceEdit } from "../../src/vm/udc/source_edit.ts";
import { baseSuite, parseHeaders } from "../../src/vm/debian/versions.ts";

const SOURCE = `#include <linux/module.h>
#include <linux/slab.h>

static int add(int a, int b);

static int add(int a,
		int b)
{
	if (a) {
		return a + b;
	}
	return b + b;
}

int other(void)
{
	return add(1, 2);
}
`;

function edit(): SourceEdit {
  return new SourceEdit(SOURCE, "add.c");
}

Deno.test("SourceEdit edits one function and leaves the others unchanged", () => {
  const it = edit();
  it.inFunction("add", (replace) => {
    replace(/ \+ /g, " - ", 2);
  });
  assertEquals(it.text, SOURCE.replaceAll(" + ", " - "));
});

Deno.test("SourceEdit adds missing includes, and definitions", () => {
  const it = edit();
  it.include("linux/slab.h", "linux/usb.h");
  it.insertBefore("other", "static int more;\n");
  assertStringIncludes(
    it.text,
    "#include <linux/slab.h>\n#include <linux/usb.h>\n\nstatic",
  );
  assertStringIncludes(it.text, "static int more;\n\nint other(void)\n{");
});

Deno.test("SourceEdit refuses unexpected source, and names the difference", () => {
  const cases: [(it: SourceEdit) => void, string][] = [
    [
      (it) => it.insertBefore("gone", ""),
      'Cannot edit "add.c": it has 0 definitions of function "gone"; this kernel needs another recipe',
    ],
    [
      (it) => it.inFunction("add", (replace) => replace(/ \+ /g, "")),
      'it has 2 in place of 1 matches of / \\+ /g in function "add"',
    ],
    [
      (it) => it.expectNone("other", /add/),
      'it has "add" in function "other"',
    ],
    [
      () => new SourceEdit("int x;\n", "x.c").include("linux/usb.h"),
      'Cannot edit "x.c": it has no #include lines',
    ],
    [
      () => new SourceEdit("int f(void)\n{\n", "x.c").expectNone("f", /x/),
      'it has no end of function "f"',
    ],
    [() => addScatterGather(SOURCE), 'Cannot edit "dummy_hcd.c": it has 0'],
  ];
  for (const [act, message] of cases) {
    assertThrows(() => act(edit()), VmError, message);
  }
});

Deno.test("parseHeaders() finds the headers and the compiler of a kernel's modules", () => {
  const text = `Package: linux-headers-7.3.4+deb13-amd64
Depends: gcc-14-for-host, linux-base (>= 4.12~), linux-headers-7.3.4+deb13-common (= 7.3.4-1), linux-kbuild-7.3.4+deb13
`;
  assertEquals(parseHeaders(text), {
    headers: [
      "linux-headers-7.3.4+deb13-amd64",
      "linux-headers-7.3.4+deb13-common",
    ],
    tools: ["linux-kbuild-7.3.4+deb13", "gcc-14"],
  });
  assertEquals(parseHeaders(""), undefined);
  assertEquals(baseSuite("trixie-backports"), "trixie");
  assertEquals(baseSuite("sid"), undefined);
});

Deno.test("--udc accepts only known UDCs", () => {
  assertEquals(parseArguments(["--udc", "sg", "true"]).udc, "sg");
  assertThrows(
    () => parseArguments(["--udc", "dwc3", "true"]),
    VmError,
    'Cannot use "dwc3" for --udc: choose "stock" or "sg"',
  );
});
