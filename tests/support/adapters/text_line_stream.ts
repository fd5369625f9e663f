/**
 * `TextLineStream` of `@std/streams`, for machines without JSR: splits text chunks
 * of any size into lines without their terminators (LF or CR LF).
 *
 * @module
 */

/** Splits text into lines. An unterminated rest at the end of the stream is a line. */
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
