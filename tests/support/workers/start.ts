/**
 * Starts the Workers of this folder.
 *
 * @module
 */

/** Starts a Worker. */
export function startWorker(file: string): Worker {
  return new Worker(new URL(file, import.meta.url), { type: "module" });
}

/** Sends a message, and waits for the answer or an uncaught error. */
export function ask<T>(worker: Worker, message: unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    worker.postMessage(message);
  });
}
