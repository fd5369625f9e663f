import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { checkGadget } from "../../src/check/gadget/gadget.ts";
import { completionScript } from "../../src/cli/completion.ts";
import { makeCommands } from "../../src/cli/commands.ts";
import {
  formatToml,
  parseGadgetFile,
} from "../../src/cli/gadget_file/format.ts";
import { loadGadgetFile } from "../../src/cli/gadget_file/load.ts";
import { formatUnit, specifierOf } from "../../src/cli/unit.ts";
import { libc } from "../../ffi/libc.ts";
import { shell } from "../support/machine/shell.ts";

// Opened here: it stays open after the first test that needs it.
libc();

const MODULE = `
  export const one = { name: "one", interfaces: [{ class: 0xff }] };
  export default [one, { ...one, name: "two" }];
  export const wrong = 5;
`;

/** Writes files into a folder for the time of a test. */
async function folderWith(files: Record<string, string>) {
  const path = await Deno.makeTempDir();
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${path}/${name}`, text);
  }
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

Deno.test("a TOML file has a definition, its options, and functions of three kinds", async () => {
  await using folder = await folderWith({
    "functions.ts": MODULE,
    "board.toml": `
      vendorId = 0x1209
      productId = 0x0001
      product = { en-US = "Board", de-DE = "Brett" }
      microsoftOs = true

      [options]
      mounts.mtp.path = "/dev/ffs-mtp"

      [[functions]]
      kernel = "mass_storage"
      name = "stick"
      attributes = { "lun.0/file" = "/stick.img", "lun.0/ro" = true }

      [[functions]]
      kernel = "hid"
      attributes = { report_desc = [5, 1, 0xc0], report_length = 8 }

      [[functions]]
      external = "mtp"
      interfaces = 1

      [[functions]]
      module = "./functions.ts"

      [[functions]]
      module = "functions.ts"
      export = "one"
    `,
  });
  const { definition, options } = await loadGadgetFile(
    `${folder.path}/board.toml`,
  );
  const { functions, ...identity } = definition;
  assertEquals(identity as Record<string, unknown>, {
    vendorId: 0x1209,
    productId: 1,
    product: { "en-US": "Board", "de-DE": "Brett" },
    microsoftOs: true,
  });
  assertEquals<unknown>(options, {
    name: "board",
    mounts: { mtp: { path: "/dev/ffs-mtp" } },
  });
  assertEquals<unknown>(functions, [
    {
      kind: "kernel",
      type: "mass_storage",
      name: "stick",
      attributes: { "lun.0/file": "/stick.img", "lun.0/ro": true },
      links: {},
      interfaces: 1,
    },
    {
      kind: "kernel",
      type: "hid",
      name: "hid",
      attributes: {
        report_desc: new Uint8Array([5, 1, 0xc0]),
        report_length: 8,
      },
      links: {},
      interfaces: 1,
    },
    { kind: "external", name: "mtp", interfaces: 1 },
    { name: "one", interfaces: [{ class: 0xff }] },
    { name: "two", interfaces: [{ class: 0xff }] },
    { name: "one", interfaces: [{ class: 0xff }] },
  ]);
});

Deno.test("examples/board.toml and the file in docs/command_line.md are what gadgets can be made from", async () => {
  const root = new URL("../../", import.meta.url);
  const page = await Deno.readTextFile(
    new URL("docs/command_line.md", root),
  );
  const [, text] = /```toml\n([^]*?)```/.exec(page)!;
  const keyboard = `export const keyboard = {
    name: "keyboard",
    interfaces: [{ class: 3, endpoints: {} }],
  };`;
  await using folder = await folderWith({
    "doc.toml": text,
    "keyboard.ts": keyboard,
  });
  const example = new URL("examples/board.toml", root).pathname;
  for (const path of [example, `${folder.path}/doc.toml`]) {
    const { definition, options } = await loadGadgetFile(path);
    checkGadget(definition, options.name);
    assertEquals(options.name, "board");
  }
});

Deno.test("a JSON file can name the gadget", async () => {
  await using folder = await folderWith({
    "any.json": JSON.stringify({
      vendorId: 1,
      productId: 2,
      functions: [{ kernel: "ecm" }],
      options: { name: "tool", udc: "dummy_udc.0", rebind: true },
    }),
  });
  const { options } = await loadGadgetFile(`${folder.path}/any.json`);
  assertEquals(options, { name: "tool", udc: "dummy_udc.0", rebind: true });
});

Deno.test("what is wrong with a gadget file is named, with its place", async () => {
  const cases = [
    ["a.toml", "vendorId = ", /^Cannot parse \S+a\.toml: /],
    ["a.json", "{", /^Cannot parse \S+a\.json: /],
    ["a.json", "[1]", /it contains an array, give a gadget/],
    [
      "a.json",
      `{"functions":{}}`,
      /"functions" must be an array, is an object/,
    ],
    [
      "a.json",
      `{"options":{"nmae":"a"}}`,
      /no option "nmae": did you mean "name"/,
    ],
    [
      "a.json",
      `{"functions":[5]}`,
      /functions\[0\] of \S+: it needs one of "kernel", "external" and "module", is 5/,
    ],
    ["a.json", `{"functions":[{"kernel":"ecm","module":"x"}]}`, /needs one of/],
    [
      "a.json",
      `{"functions":[{"kernel":"ecm"},{"kernel":"ecm","attribute":{}}]}`,
      /functions\[1\] of \S+: there is no option "attribute": did you mean "attributes"/,
    ],
    [
      "a.json",
      `{"functions":[{"kernel":5}]}`,
      /"kernel" must be a string, is 5/,
    ],
    [
      "a.json",
      `{"functions":[{"external":"a","name":"b"}]}`,
      /no option "name"/,
    ],
    [
      "a.json",
      `{"functions":[{"kernel":"hid","attributes":{"report_desc":[1,256]}}]}`,
      /list in "report_desc" must have numbers from 0 to 255/,
    ],
    [
      "a.json",
      `{"functions":[{"module":"./m.ts","export":"three"}]}`,
      /m\.ts does not export "three": it exports "default", "one", "wrong"/,
    ],
    [
      "a.json",
      `{"functions":[{"module":"./m.ts","export":"wrong"}]}`,
      /"wrong" of \.\/m\.ts must be an object, is 5/,
    ],
    [
      "a.json",
      `{"functions":[{"module":"./none.ts"}]}`,
      /functions\[0\] of \S+: .*none\.ts/,
    ],
  ] as const;
  for (const [name, text, message] of cases) {
    await using folder = await folderWith({ [name]: text, "m.ts": MODULE });
    const error = await assertRejects(
      () => loadGadgetFile(`${folder.path}/${name}`),
      Error,
    );
    assertMatch(error.message, message);
  }
  await assertRejects(
    () => loadGadgetFile("/nothing.toml"),
    Deno.errors.NotFound,
    "Cannot read gadget file: No such file or directory (os error 2): /nothing.toml",
  );
});

Deno.test("TOML has identifiers in hexadecimal, and reads as it was written", async () => {
  const content = {
    vendorId: 0x1209,
    productId: 1,
    class: 0xef,
    product: 'A "board"',
    options: { name: "tool" },
    functions: [{
      kernel: "mass_storage",
      attributes: { "lun.0/file": "/a b", stall: 1 },
    }],
  };
  const text = await formatToml(content);
  assertMatch(text, /^vendorId = 0x1209\nproductId = 0x01\nclass = 0xef\n/);
  assertMatch(text, /^stall = 1$/m);
  assertEquals(await parseGadgetFile(text, "a.toml"), content);
});

Deno.test("a unit makes a gadget at boot, changes it and removes it", () => {
  const file = {
    definition: {
      vendorId: 1,
      productId: 2,
      product: "50% off",
      functions: [],
    },
    options: { name: "tool" },
  };
  assertEquals(
    formatUnit(file, "/etc/my gadget$.toml", "/usr/bin/usb-gadget"),
    `[Unit]
Description=USB gadget: 50%% off
Requires=sys-kernel-config.mount
After=sys-kernel-config.mount
RequiresMountsFor="/etc/my gadget$$.toml"

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStartPre=/sbin/modprobe libcomposite
ExecStart=/usr/bin/usb-gadget up --wait "/etc/my gadget$$.toml"
ExecReload=/usr/bin/usb-gadget up "/etc/my gadget$$.toml"
ExecStopPost=/usr/bin/usb-gadget down tool

[Install]
WantedBy=multi-user.target
`,
  );
  const served = {
    ...file,
    definition: {
      ...file.definition,
      functions: [{ name: "own", interfaces: [] }],
    },
  };
  const lines = formatUnit(served, "/a.toml", "usb-gadget").split("\n");
  assertEquals(lines.slice(7, 12), [
    "Type=exec",
    "Restart=on-failure",
    "RestartSec=1",
    "ExecStartPre=/sbin/modprobe libcomposite",
    "ExecStart=usb-gadget up --wait /a.toml",
  ]);
});

Deno.test("a unit starts the module that wrote it", () => {
  assertEquals(specifierOf("file:///opt/a%20b/cli.ts"), "/opt/a b/cli.ts");
  assertEquals(
    specifierOf("https://example.org/@usb/gadget/0.2.0/cli.ts"),
    "jsr:@usb/gadget@0.2.0/cli",
  );
  assertEquals(
    specifierOf("https://example.org/cli.ts"),
    "https://example.org/cli.ts",
  );
});

Deno.test("bash completes commands, options and files", async () => {
  const script = completionScript("usb-gadget", makeCommands("file:///cli.ts"));
  const complete = async (...words: string[]) => {
    const quoted = words.map((it) => `'${it}'`).join(" ");
    const text = await shell(`bash -c '
      ${script.replaceAll("'", `'"'"'`)}
      COMP_WORDS=(usb-gadget ${quoted.replaceAll("'", `'"'"'`)})
      COMP_CWORD=${words.length}
      _usb_gadget
      printf "%s\\n" "\${COMPREPLY[@]}"'`);
    return text.split("\n").filter((it) => it !== "");
  };
  assertEquals(await complete("sh"), ["show", "share"]);
  assertEquals(await complete("share", "--a"), [
    "--address",
    "--all-addresses",
  ]);
  assertEquals(await complete("list", ""), []);
  await using folder = await folderWith({ "a.toml": "", "b.toml": "" });
  assertEquals(await complete("up", `${folder.path}/a`), [
    `${folder.path}/a.toml`,
  ]);
});
