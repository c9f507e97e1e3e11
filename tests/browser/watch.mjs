// Starts `thingprint watch`, which listens for captures and serves its page, both on loopback.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";

import { program } from "./home.mjs";

const PATIENCE_MS = 30_000;
const POLL_MS = 100;
const CHUNK_BYTES = 1 << 16;
const LAST_AFTER_MS = 600;

// Waits until `ask` gives something that counts as true, and returns it. `what` is what is waited for, or gives it.
export const until = async (what, ask) => {
  const begin = Date.now();
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() - begin > PATIENCE_MS) throw new Error(`waited ${PATIENCE_MS / 1000} s for: ${typeof what === "function" ? what() : what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
};

// A watch in a folder. `feed` sends it a capture, and returns when the watch has read it and has closed what it could.
export const watch = async (folder, words) => {
  const all = ["watch", "tcp-listen://127.0.0.1:0", "--listen", "127.0.0.1:0", ...words];
  const child = spawn(program, all, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  const said = [];
  const lines = createInterface({ input: child.stderr });
  lines.on("line", (line) => said.push(line));
  const ended = once(child, "exit");
  const url = await until("the address of the page", () => {
    if (child.exitCode !== null) throw new Error(`thingprint watch ended with ${child.exitCode}: ${said.join("\n")}`);
    return said.map((line) => /^page: (\S+)$/.exec(line)?.[1]).find(Boolean);
  });
  const headers = { Authorization: `Bearer ${new URL(url).searchParams.get("token")}` };
  const address = (path) => new URL(path, url).href;
  const ask = async (path) => {
    const answer = await fetch(address(`/api/v1/${path}`), { headers });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const port = await until("the port for captures", async () => {
    const [source] = (await ask("health")).sources;
    return Number(/listens on 127\.0\.0\.1:(\d+)/.exec(source?.message)?.[1]);
  });
  const read = async () => (await ask("health")).packets;
  return {
    url,
    address,
    ask,
    feed: async ({ bytes, packets, last }) => {
      const before = await read();
      await pipeline(Readable.from(chunks(bytes, bytes.length - last)), connect(port, "127.0.0.1"));
      await until(`${packets} packets are read`, async () => (await read()) >= before + packets);
    },
    // Ends it as people do, and gives the exit status.
    stop: async () => {
      if (child.exitCode === null) child.kill("SIGTERM");
      const [code, signal] = await ended;
      return code ?? signal;
    },
    kill: () => child.kill("SIGKILL"),
    said: () => said.join("\n"),
  };
};

// The last packets come a moment after the others, as on a wire: nothing comes after them that would carry them along.
async function* chunks(bytes, last) {
  for (let at = 0; at < last; at += CHUNK_BYTES) yield bytes.subarray(at, Math.min(at + CHUNK_BYTES, last));
  await new Promise((resolve) => setTimeout(resolve, LAST_AFTER_MS));
  yield bytes.subarray(last);
}
