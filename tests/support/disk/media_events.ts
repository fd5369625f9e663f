/**
 * What Linux reports of the media in its drives (uevents of block devices).
 *
 * @module
 */
import { writeFile } from "../../../ffi/file.ts";
import { until } from "../waiting/until.ts";
import type { ScsiUnit } from "../host/scsi.ts";

/** A change of a medium, or the wish of a drive to eject it. */
export type MediaEvent = "DISK_MEDIA_CHANGE" | "DISK_EJECT_REQUEST";

/** Receives the events of drives, which Linux asks ten times a second. */
export class MediaEvents implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  #text = "";

  /** Begins to receive. */
  static async watch(units: readonly ScsiUnit[]): Promise<MediaEvents> {
    const events = new MediaEvents();
    // The program is ready when it prints the first event.
    await until(() => {
      writeFile(`/sys/block/${units[0].name}/uevent`, "change");
      return events.#text.includes(`DEVNAME=${units[0].name}\n`);
    }, "events are received");
    for (const { name } of units) {
      writeFile(`/sys/block/${name}/events_poll_msecs`, "100");
    }
    return events;
  }

  private constructor() {
    this.#process = new Deno.Command("busybox", {
      args: ["uevent", "env"],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#reading = this.#read();
  }

  /** How many events of a kind a drive has had. */
  count({ name }: ScsiUnit, event: MediaEvent): number {
    return this.#text.split("ACTION=").filter((each) =>
      each.includes(`DEVNAME=${name}\n`) && each.includes(`${event}=1\n`)
    ).length;
  }

  /** Waits for the next event that `action` causes. */
  async after(
    unit: ScsiUnit,
    event: MediaEvent,
    action: () => unknown,
  ): Promise<void> {
    const before = this.count(unit, event);
    await action();
    await until(
      () => this.count(unit, event) > before,
      `${unit.name} reports ${event}`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
    await this.#reading;
  }

  async #read(): Promise<void> {
    const text = this.#process.stdout.pipeThrough(new TextDecoderStream());
    for await (const part of text) this.#text += part;
  }
}
