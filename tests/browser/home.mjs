// A simulated home: what was captured there earlier and what it taught a model, and what is played to a watch.

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { captureOf, readCapture } from "./capture.mjs";

// Nothing is cut off that names a device or a server.
const SNAPLEN = "700";
const START = "2024-06-10T00:00:00Z";
const HOUR_S = 3600;
// Between the parts no packet comes for so long. Meanwhile the clock of a watch goes on as the machine's does, and it must not
// come to the next part's packets, or these are late: so this is longer than the test takes.
const PAUSE_S = 1200;
// Where the parts end, in hours from the start. The second one has enough windows of the stranger to train from, and the last
// one those that change a verdict.
const ENDS_H = [14, 29, 34];
// The last packets of each part: at least one is of a device that sent others a moment before.
const LAST_PACKETS = 2;

// The device that no model knows and that is not there from the start.
export const STRANGER = "58:2f:7d:06:c8:41";
// What it calls itself when it asks for an address.
export const STRANGER_NAME = "QW-STATION";
// A device that a model knows.
export const CAMERA = "7c:51:0e:4a:02:9c";

export const program = process.env.THINGPRINT ?? fileURLToPath(new URL("../../target/release/thingprint", import.meta.url));

// Runs the program in a folder, and gives what it wrote on standard output.
export const run = (folder, words) =>
  execFileSync(program, words.split(" "), { cwd: folder, encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "pipe"] });

export const rows = (text) => text.split("\n").filter(Boolean).map((line) => JSON.parse(line));

// Makes captures and a model in a folder. `parts` are the captures to play, one after the other, with their numbers of packets and
// the length of the last ones;
// `things` is the number of devices but for the gateway.
export const build = (folder) => {
  run(folder, `simulate -q --duration 30h --snaplen ${SNAPLEN} --labels all.csv -o earlier.pcap`);
  const labels = readFileSync(join(folder, "all.csv"), "utf8").trim().split("\n");
  const writeWithout = (name, devices) =>
    writeFileSync(join(folder, name), labels.filter((line) => !devices.some((device) => line.startsWith(device))).join("\n"));
  writeWithout("known.csv", [STRANGER]);
  // People know all devices but two; those get their labels on the page.
  writeWithout("labels.csv", [STRANGER, CAMERA]);
  run(folder, "extract -q earlier.pcap --labels known.csv -o earlier.jsonl");
  run(folder, "train -q earlier.jsonl -o home.model");
  run(folder, `simulate -q --duration ${ENDS_H.at(-1)}h --start ${START} --seed 2 --snaplen ${SNAPLEN} -o later.pcap`);
  const parts = cut(readCapture(join(folder, "later.pcap")));
  // What the program reads from files, to hold the page against it.
  writeFileSync(join(folder, "played.pcap"), Buffer.concat([parts[0].bytes, parts[1].bytes.subarray(24)]));
  writeFileSync(join(folder, "after.pcap"), parts[2].bytes);
  return { folder, parts, things: labels.length - 1 };
};

const cut = ({ header, frames }) => {
  const start = Date.parse(START) / 1000;
  const stranger = STRANGER.replaceAll(":", "");
  return ENDS_H.map((end, index) => {
    const from = index === 0 ? start : start + ENDS_H[index - 1] * HOUR_S + PAUSE_S;
    const own = frames.filter(({ at }) => from <= at && at < start + end * HOUR_S);
    const kept = index === 0 ? own.filter(({ ends }) => !ends.includes(stranger)) : own;
    const last = kept.slice(-LAST_PACKETS).reduce((all, { bytes }) => all + bytes.length, 0);
    return { bytes: captureOf(header, kept), packets: kept.length, last };
  });
};
