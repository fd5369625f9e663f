/**
 * `TextLineStream` of `@std/streams`, for machines without JSR: text in pieces
 * of any size becomes lines, without their ends (LF or CR LF).
 *
 * @module
 */

/** Turns text into lines. What has no end by the end of the stream is a line. */
export class TextLineStream extends TransformStream<string, string> {
  constructor() {
    let rest = "";
    super({
      transform(chunk, controller) {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop()!;
        for (const line of lines) controller.enqueue(line.replace(/\r$/, ""));
      },
      flush(controller) {
        if (rest !== "") controller.enqueue(rest);
      },
    });
  }
}
