import type { BlockContext } from "../kernel_model/kernel.ts";
import { validateBlocks } from "../kernel_model/validate_blocks.ts";
import { DUMMY_UDC } from "@usb/gadget/inspect";
import { assertEquals } from "@std/assert";
import {
  block,
  type BlockParts,
  bulk,
  COMPANION,
  compatIds,
  intf,
  property,
  stringsBlock,
} from "../support/descriptors/blocks.ts";

/** Asserts that ep0 takes a block, and that so many things go wrong later. */
function later(
  parts: BlockParts,
  expected: readonly (readonly [string, string, string])[],
  context?: BlockContext,
  strings?: Uint8Array,
): void {
  const verdict = validateBlocks(block(parts), strings, context);
  assertEquals(verdict.accepted, true);
  assertEquals(
    verdict.problems.map((it) => [it.stage, it.path, it.message]),
    expected.map((it) => [...it]),
  );
}

const IN = { endpoints: 1 };

Deno.test("high and super speed with endpoints but not full speed are a hazard", () => {
  const high = [intf(IN), bulk(0x81, 512)];
  const fast = [intf(IN), bulk(0x81, 1024), [...COMPANION]];
  later({ full: [intf(IN), bulk(0x81)], high, super: fast }, []);
  later({ high }, []);
  later({ super: fast }, []);
  later({ high: [intf()], super: [intf()] }, []);
  const hazard = [
    "hazard",
    "descriptors",
    "High and super speed have endpoints and full speed has none, which crashes the kernel when the gadget is bound: add full speed",
  ] as const;
  later({ high, super: fast }, [hazard]);
  later({ full: [[3, 9, 0]], high, super: fast }, [hazard]);
});

Deno.test("an address that appears twice fails to bind", () => {
  later({ full: [intf({ endpoints: 2 }), bulk(0x81), bulk(0x82)] }, []);
  later({ full: [intf({ endpoints: 2 }), bulk(0x81), bulk(0x81)] }, [[
    "bind",
    "descriptors.full[2].bEndpointAddress",
    "Address 0x81 is that of descriptors.full[1] already: use each once",
  ]]);
});

Deno.test("an endpoint needs an alternate setting 0 before it", () => {
  later({ full: [intf({ alternate: 1 })] }, []);
  later({ full: [intf({ alternate: 1, endpoints: 1 }), bulk(0x81)] }, [[
    "configure",
    "descriptors.full[1]",
    "No interface with alternate setting 0 comes before this endpoint, so it cannot be enabled: add one",
  ]]);
});

Deno.test("alternate settings up to 2 can be selected", () => {
  later({ full: [intf(), intf({ alternate: 1 }), intf({ alternate: 2 })] }, []);
  later({ full: [intf(), intf({ alternate: 3 })] }, [[
    "configure",
    "descriptors.full[1].bAlternateSetting",
    "Alternate setting 3 cannot be selected: use 0 to 2",
  ]]);
});

Deno.test("alternate settings can be selected from Linux 6.8 on", () => {
  const parts = { full: [intf(), intf({ alternate: 1 })] };
  later(parts, [], { kernel: { major: 6, minor: 8 } });
  later(parts, [[
    "configure",
    "descriptors.full[1].bAlternateSetting",
    "Alternate setting 1 cannot be selected before Linux 6.8: use 0",
  ]], { kernel: { major: 6, minor: 1 } });
});

Deno.test("a super-speed endpoint needs a companion right behind it", () => {
  later({ super: [intf(IN), bulk(0x81, 1024), [...COMPANION]] }, []);
  const missing =
    "No super-speed companion follows this endpoint, so it cannot be enabled: add one";
  later({ super: [intf(IN), bulk(0x81, 1024)] }, [
    ["configure", "descriptors.super[1]", missing],
  ]);
  later({
    super: [intf(IN), bulk(0x81, 1024), [3, 9, 0], [...COMPANION]],
  }, [["configure", "descriptors.super[1]", missing]]);
});

Deno.test("the host goes by the number of endpoints in the interface", () => {
  later({ full: [intf({ endpoints: 2 }), bulk(0x81)] }, [[
    "configure",
    "descriptors.full[0].bNumEndpoints",
    "The interface says it has 2 endpoints, but 1 follow: make them equal",
  ]]);
});

Deno.test("packet size 0 is a hazard", () => {
  later({ full: [intf(IN), bulk(0x81, 0)] }, [[
    "hazard",
    "descriptors.full[1].wMaxPacketSize",
    "Packet size 0 makes the kernel print a warning and fail when the host configures the gadget: give a size",
  ]]);
});

Deno.test("packet sizes follow the speed", () => {
  later({ high: [intf(IN), bulk(0x81, 512)] }, []);
  later({ high: [intf(IN), bulk(0x81, 511)] }, [[
    "configure",
    "descriptors.high[1].wMaxPacketSize",
    "No bulk endpoint has packets of 511 bytes at high speed",
  ]]);
});

Deno.test("further transactions exist at high speed for periodic endpoints", () => {
  const periodic = [7, 5, 0x81, 3, 0x00, 0x0c, 1];
  later({ high: [intf(IN), periodic] }, []);
  later({ high: [intf(IN), bulk(0x81, 512 | 1 << 11)] }, [[
    "configure",
    "descriptors.high[1].wMaxPacketSize",
    "Further transactions in a microframe exist for interrupt and isochronous endpoints at high speed only: clear bits 12 and 11",
  ]]);
});

Deno.test("intervals follow speed and transfer type", () => {
  later({ full: [intf(IN), [7, 5, 0x81, 3, 8, 0, 255]] }, []);
  later({ high: [intf(IN), [7, 5, 0x81, 3, 8, 0, 17]] }, [[
    "configure",
    "descriptors.high[1].bInterval",
    "Interval 17 is not possible for an interrupt endpoint at high speed: use 1 to 16",
  ]]);
  later({ full: [intf(IN), [7, 5, 0x81, 3, 8, 0, 0]] }, [[
    "configure",
    "descriptors.full[1].bInterval",
    "Interval 0 is not possible for an interrupt endpoint at full speed: use 1 to 255",
  ]]);
});

Deno.test("a control endpoint fails to bind", () => {
  later({ full: [intf(IN), [7, 5, 0x81, 0, 64, 0, 0]] }, [[
    "bind",
    "descriptors.full[1].bmAttributes",
    "A function cannot have a control endpoint: use bulk, interrupt or isochronous",
  ]]);
});

Deno.test("15 endpoints in one direction can be bound", () => {
  const list = (count: number) => [
    intf({ endpoints: count }),
    ...Array.from({ length: count }, (_, i) => bulk(0x81 + i)),
  ];
  later({ full: list(15) }, []);
  const full = [...list(15), bulk(0x91)];
  full[0] = intf({ endpoints: 16 });
  later({ full }, [[
    "bind",
    "descriptors.full[16]",
    "There are 16 IN endpoints, but a device has 15 in one direction: use fewer",
  ]]);
});

Deno.test("32 interfaces can be bound, 16 before Linux 6.12", () => {
  const full = (count: number) =>
    Array.from({ length: count }, (_, number) => intf({ number }));
  const old = { kernel: { major: 6, minor: 11 } };
  later({ full: full(32) }, []);
  later({ full: full(33) }, [[
    "bind",
    "descriptors.full",
    "The configuration has 33 interfaces, but the kernel takes 32: use fewer",
  ]]);
  later({ full: full(16) }, [], old);
  later({ full: full(17) }, [[
    "bind",
    "descriptors.full",
    "The configuration has 17 interfaces, but the kernel takes 16: use fewer",
  ]], old);
  later({ full: full(2) }, [[
    "bind",
    "descriptors.full",
    "The configuration has 33 interfaces, but the kernel takes 32: use fewer",
  ]], { configuration: { interfaces: 31 } });
});

Deno.test("a configuration of 4096 bytes can be read", () => {
  // 9 for the configuration, 9 for the interface and 508 times 8 leave 14 bytes.
  const full = (rest: number[][]) => [
    intf(),
    ...Array.from({ length: 508 }, () => [8, 0x0b, 0, 1, 0, 0, 0, 0]),
    ...rest,
  ];
  later(
    { full: full([[8, 0x0b, 0, 1, 0, 0, 0, 0], [3, 9, 0], [3, 9, 0]]) },
    [],
  );
  later({ full: full([[8, 0x0b, 0, 1, 0, 0, 0, 0], intf()]) }, [[
    "configure",
    "descriptors.full",
    "The configuration descriptor has 4099 bytes, but the kernel takes 4096: use fewer descriptors",
  ]]);
});

Deno.test("251 strings can be bound beside the three of the gadget", () => {
  later({ full: [intf({ string: 251 })] }, []);
  later({ full: [intf({ string: 252 })] }, [[
    "bind",
    "descriptors",
    "The descriptors refer to string 252, but the gadget has identifiers for 251: use fewer",
  ]]);
  later({ full: [intf({ string: 254 })] }, [], {
    configuration: { strings: 0 },
  });
});

Deno.test("a block of Microsoft OS descriptors alone fails to bind", () => {
  later({ os: [compatIds([])] }, [[
    "bind",
    "descriptors",
    "No speed has descriptors: add an interface at one speed at least",
  ]]);
});

Deno.test("extended properties need terminators", () => {
  const full = [intf()];
  later({ full, os: [property()] }, []);
  later({ full, os: [property({ type: 3, value: [1] })] }, []);
  later({ full, os: [property({ name: [0x41] })] }, [[
    "hazard",
    "descriptors.os[0][0].bPropertyName",
    "The name has no terminator, so the kernel reads beyond it: end it with a NUL",
  ]]);
  later({ full, os: [property({ value: [0x41] })] }, [[
    "configure",
    "descriptors.os[0][0].bPropertyData",
    "The text has no terminator, so the kernel overwrites its last character: end it with a NUL",
  ]]);
});

Deno.test("the kernel answers with four types of extended properties", () => {
  const full = [intf()];
  for (const type of [1, 2, 3, 6]) {
    later({ full, os: [property({ type })] }, []);
  }
  for (const type of [4, 5, 7]) {
    later({ full, os: [property({ type })] }, [[
      "configure",
      "descriptors.os[0][0].dwPropertyDataType",
      `The kernel cannot answer with type ${type}, and stalls: use 1, 2, 3 or 6`,
    ]]);
  }
});

Deno.test("strings of 126 bytes arrive whole", () => {
  const parts = { full: [intf({ string: 1 })] };
  later(parts, [], {}, stringsBlock([[0x0409, "ä".repeat(63)]]));
  later(
    parts,
    [[
      "configure",
      "strings[0].strings[0]",
      "The text takes 127 bytes in UTF-8, but the kernel takes 126 at most: shorten it",
    ]],
    {},
    stringsBlock([[0x0409, "ä".repeat(63) + "a"]]),
  );
});

Deno.test("language 0 ends the list of languages", () => {
  later(
    { full: [intf({ string: 1 })] },
    [[
      "configure",
      "strings[0].language",
      "Language 0 ends the list of languages: use a LANGID",
    ]],
    {},
    stringsBlock([[0, "a"]]),
  );
});

Deno.test("a known controller shows what it cannot do", () => {
  const udc = { ...DUMMY_UDC, maximumSpeed: "full-speed" } as const;
  later({ full: [intf(IN), bulk(0x81)] }, [], { udc });
  later({ full: [intf(IN), [7, 5, 0x81, 1, 64, 0, 1]] }, [[
    "bind",
    "descriptors.full[1]",
    '"dummy_udc.0" has no such endpoint left: use fewer',
  ]], { udc });
  later({ full: [intf(IN), bulk(0x82)], flags: 16 }, [[
    "configure",
    "descriptors.full[1]",
    '"dummy_udc.0" gives this endpoint the address 0x81, not 0x82, so the host cannot set the configuration: use that address, or clear FUNCTIONFS_VIRTUAL_ADDR',
  ]], { udc });
});

Deno.test("a host finds no configuration at a speed without descriptors", () => {
  const full = [intf()];
  later({ full }, [[
    "configure",
    "descriptors",
    "The controller runs at super-speed, for which there are no descriptors",
  ]], { udc: { maximumSpeed: "super-speed" } });
  later({ super: full }, [[
    "configure",
    "descriptors",
    "The controller runs at high-speed, for which there are no descriptors",
  ]], { udc: { maximumSpeed: "high-speed" } });
  later({ super: full }, [], { udc: { maximumSpeed: "super-speed-plus" } });
});
