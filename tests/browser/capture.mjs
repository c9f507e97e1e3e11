// Captures as `thingprint simulate` writes them: pcap, little-endian, times in nanoseconds.

import { readFileSync } from "node:fs";

const MAGIC = 0xa1b23c4d;
const HEADER_BYTES = 24;
const RECORD_BYTES = 16;
const ADDRESSES_BYTES = 12;

// The header of a capture, and its frames: the time in seconds, both link addresses in hexadecimal, and the bytes.
export const readCapture = (path) => {
  const bytes = readFileSync(path);
  if (bytes.readUInt32LE(0) !== MAGIC) throw new Error(`${path} is not a pcap file of nanoseconds in little-endian order`);
  const frames = [];
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const end = at + RECORD_BYTES + bytes.readUInt32LE(at + 8);
    const ends = bytes.toString("hex", at + RECORD_BYTES, at + RECORD_BYTES + ADDRESSES_BYTES);
    frames.push({ at: bytes.readUInt32LE(at), ends, bytes: bytes.subarray(at, end) });
    at = end;
  }
  return { header: bytes.subarray(0, HEADER_BYTES), frames };
};

// A capture of these frames.
export const captureOf = (header, frames) => Buffer.concat([header, ...frames.map((frame) => frame.bytes)]);
