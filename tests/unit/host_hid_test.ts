import { assertEquals } from "@std/assert";
import { parseKernelText } from "../support/host/hid_device.ts";

const TEXT = `05 01 c0 

  INPUT(1)[INPUT]
    Field(0)
      Physical(GenericDesktop.Pointer)
      Application(GenericDesktop.Mouse)
      Usage(2)
        Button.0001
        Button.0002
      Logical Minimum(0)
      Logical Maximum(1)
      Report Size(1)
      Report Count(2)
      Report Offset(0)
      Flags( Variable Absolute )
    Field(1)
      Application(GenericDesktop.Mouse)
      Usage(1)
        GenericDesktop.X
      Logical Minimum(-127)
      Logical Maximum(127)
      Physical Minimum(-5)
      Physical Maximum(5)
      Unit Exponent(-2)
      Unit(SI Linear : Centimeter)
      Report Size(8)
      Report Count(1)
      Report Offset(8)
      Flags( Variable Relative NullState )
  OUTPUT[OUTPUT]
    Field(0)
      Application(GenericDesktop.Keyboard)
      Usage(1)
        LED.NumLock
      Logical Minimum(0)
      Logical Maximum(1)
      Report Size(1)
      Report Count(1)
      Report Offset(0)
      Flags( Variable Absolute )

Button.0001 ---> Key.LeftBtn
Button.0002 ---> Sync.Report
GenericDesktop.X ---> Relative.X
`;

Deno.test("parseKernelText() reads reports, fields and events", () => {
  const { descriptor, reports, mappings } = parseKernelText(TEXT);
  assertEquals([...descriptor], [5, 1, 0xc0]);
  assertEquals(
    reports.map(({ type, id, fields }) => [type, id, fields.length]),
    [["input", 1, 2], ["output", 0, 1]],
  );
  const [buttons, x] = reports[0].fields;
  assertEquals(buttons.usages, ["Button.0001", "Button.0002"]);
  assertEquals(buttons.physical, "GenericDesktop.Pointer");
  assertEquals(x, {
    application: "GenericDesktop.Mouse",
    logical: "",
    physical: "",
    usages: ["GenericDesktop.X"],
    logicalMinimum: -127,
    logicalMaximum: 127,
    physicalMinimum: -5,
    physicalMaximum: 5,
    unitExponent: -2,
    unit: "SI Linear : Centimeter",
    size: 8,
    count: 1,
    offset: 8,
    flags: ["Variable", "Relative", "NullState"],
  });
  assertEquals(mappings, [
    ["Button.0001", "Key.LeftBtn"],
    ["GenericDesktop.X", "Relative.X"],
  ]);
});
