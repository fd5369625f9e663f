/**
 * Tests of gadgets and of host software, without hardware.
 *
 * {@linkcode gadgetTest} runs a test with a gadget and its host, in a VM where
 * this machine has no device controller. {@linkcode TestHost} is that host.
 * {@linkcode fakeSession} and {@linkcode fakeSetup} test what serves a session
 * or answers a control request, without any kernel support.
 * {@linkcode withFaults} makes a device misbehave, for tests of host software.
 *
 * @example
 * ```ts ignore
 * import { gadgetTest } from "@usb/gadget/testing";
 *
 * gadgetTest("answers", definition, async ({ gadget, host }) => {
 *   const { link } = gadget.functions.tool.endpoints;
 *   await host.write(link, new Uint8Array([1]));
 *   assertEquals(await host.read(link, 1024), new Uint8Array([2]));
 * }, { speeds: ["high", "super"] });
 * ```
 *
 * @module
 */
import "./libraries.ts";
export { gadgetTest } from "./gadget_test/gadget_test.ts";
export {
  type GadgetTestContext,
  type GadgetTestOptions,
} from "./gadget_test/options.ts";
export { TestHost } from "./test_host.ts";
export { type HostOptions, type HostWriteOptions } from "./options.ts";
export { type HostControlRequest } from "./control_request.ts";
export { type HostDescriptors, type HostStrings } from "./descriptors.ts";
export { type HostTransferError } from "./usbfs/transfer.ts";
export { type BusEvent, BusRecord } from "./usbmon/record.ts";
export {
  type FakeOutcome,
  FakeSetup,
  fakeSetup,
  type FakeSetupOptions,
} from "./fake/setup.ts";
export {
  type FakeSession,
  fakeSession,
  type FakeSessionOptions,
} from "./fake/session.ts";
export { type FakeHost } from "./fake/host.ts";
export {
  type FaultKind,
  type FaultPlan,
  type FaultRecord,
  type FaultRule,
  type InjectedFault,
} from "./faults/plan.ts";
export { faultsOf, withFaults } from "./faults/with_faults.ts";
