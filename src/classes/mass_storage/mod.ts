/**
 * Mass storage: disks over Bulk-Only Transport.
 *
 * @example A reset that ends the current command, whatever it waits for
 * ```ts
 * import {
 *   bulkPair,
 *   controlRoutes,
 *   type EndpointPair,
 *   usbFunction,
 * } from "@usb/gadget";
 * import { massStorageRequests } from "@usb/gadget/mass-storage";
 *
 * let command = new AbortController();
 * let ready = Promise.withResolvers<void>();
 *
 * const disk = usbFunction({
 *   name: "disk",
 *   interfaces: [{
 *     class: 0x08,
 *     subclass: 6,
 *     protocol: 0x50,
 *     endpoints: { link: bulkPair() },
 *   }],
 *   control: controlRoutes(massStorageRequests({
 *     async reset() {
 *       ready = Promise.withResolvers();
 *       command.abort(); // the host will not fetch its data and status
 *       await ready.promise;
 *       // Then flush() both endpoints, for what is in the controller's FIFOs.
 *     },
 *   })),
 * });
 *
 * type Options = { signal: AbortSignal; reconnect: "end" };
 *
 * async function serve(
 *   link: EndpointPair,
 *   execute: (cbw: Uint8Array, options: Options) => Promise<void>,
 * ) {
 *   for (;;) {
 *     command = new AbortController();
 *     const { signal } = command;
 *     const options: Options = { signal, reconnect: "end" };
 *     try {
 *       // Into a buffer of its own: an aborted read leaves no request behind.
 *       const reading = link.out.read(new Uint8Array(1024), options);
 *       ready.resolve();
 *       await execute(await reading, options); // every transfer takes them
 *     } catch (error) {
 *       // A reset, or a host that has left: on to the next command.
 *       const { code } = error as { code?: string };
 *       if (code !== "ECANCELED" && code !== "ESHUTDOWN") throw error;
 *     }
 *   }
 * }
 * ```
 *
 * @module
 */
export * from "./requests.ts";
