// A broker of MQTT, Debian's mosquitto, on a port of loopback, and somebody who listens to all of it.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

import { until } from "./watch.mjs";

const PROGRAMS = ["mosquitto", "/usr/sbin/mosquitto"];
const [CONNECT, PUBLISH, SUBSCRIBE] = [0x10, 0x30, 0x82];

// `null` where mosquitto is not installed.
export const startBroker = async () => {
  const mosquitto = PROGRAMS.find((name) => spawnSync(name, ["-h"]).error === undefined);
  if (!mosquitto) return null;
  const folder = mkdtempSync(join(tmpdir(), "thingprint-broker-"));
  const port = await freePort();
  const settings = [`user ${userInfo().username}`, `listener ${port} 127.0.0.1`, "allow_anonymous true", "persistence false", ""];
  writeFileSync(join(folder, "mosquitto.conf"), settings.join("\n"));
  const child = spawn(mosquitto, ["-c", join(folder, "mosquitto.conf")], { stdio: "ignore" });
  const ended = once(child, "exit");
  const socket = await until("the broker", () => reach(port, child));
  return {
    address: `mqtt://127.0.0.1:${port}/thingprint`,
    messages: listen(socket),
    stop: async () => {
      socket.destroy();
      child.kill();
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
};

const freePort = async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
};

const reach = (port, child) =>
  new Promise((resolve, reject) => {
    if (child.exitCode !== null) return reject(new Error(`mosquitto ended with ${child.exitCode}`));
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(socket));
    socket.once("error", () => resolve(null));
  });

// MQTT 3.1.1, as far as a listener needs it: quality of service 0, no time-out. Messages are added as they come.
const listen = (socket) => {
  const messages = [];
  socket.write(packet(CONNECT, [text("MQTT"), Buffer.from([4, 2, 0, 0]), text("listener")]));
  socket.write(packet(SUBSCRIBE, [Buffer.from([0, 1]), text("#"), Buffer.from([0])]));
  socket.on("error", () => {});
  let rest = Buffer.alloc(0);
  socket.on("data", (data) => {
    rest = Buffer.concat([rest, data]);
    for (let next = split(rest); next; next = split(rest)) {
      rest = rest.subarray(next.end);
      if ((next.kind & 0xf0) === PUBLISH) messages.push(published(next.body));
    }
  });
  return messages;
};

const text = (string) => {
  const bytes = Buffer.from(string);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
};

// What is sent here is shorter than 128 bytes, so its length is one byte.
const packet = (kind, parts) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([kind, body.length]), body]);
};

// The first packet of these bytes; `null` if it is not complete.
const split = (bytes) => {
  let [length, shift, at] = [0, 0, 1];
  for (; at < bytes.length; at++, shift += 7) {
    length += (bytes[at] & 0x7f) << shift;
    if (bytes[at] < 0x80) break;
  }
  const [begin, end] = [at + 1, at + 1 + length];
  return end <= bytes.length && begin <= bytes.length ? { kind: bytes[0], body: bytes.subarray(begin, end), end } : null;
};

const published = (body) => {
  const end = 2 + body.readUInt16BE(0);
  return { topic: body.toString("utf8", 2, end), payload: body.toString("utf8", end) };
};
