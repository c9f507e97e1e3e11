"""Replays what one device sent and received through a bridge with rules of nftables, and counts what passes.

    unshare --net python3 replay.py RULES MAC CAPTURE...      (as root)

The device is on one side of the bridge, everybody else on the other. Prints a JSON object: frames in each direction that
reached the bridge, and those of them that passed; then the same of strangers, which no profile has. With --show, also what
was dropped.
"""

import gzip
import json
import socket
import struct
import subprocess
import sys
import time

# Before and behind every table of rules.
COUNTERS = """
table bridge seen {{ chain forward {{ type filter hook forward priority -300;
    ether saddr {mac} counter comment "from"
    ether daddr {mac} counter comment "to"
}}
}}
table bridge passed {{ chain forward {{ type filter hook forward priority 300;
    ether saddr {mac} counter comment "from"
    ether daddr {mac} counter comment "to"
}}
}}
"""
STRANGER = "198.51.100.77"
STRANGER_MAC = bytes.fromhex("02fe00000001")


def run(*words, text=None):
    subprocess.run(words, input=text, text=True, check=True, stdout=subprocess.DEVNULL)


def build_bridge(rules, mac):
    run("ip", "link", "add", "bridge0", "mtu", "65535", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
    for side in ("device", "others"):
        run("ip", "link", "add", side, "mtu", "65535", "type", "veth", "peer", "name", side + "-b", "mtu", "65535")
        run("ip", "link", "set", side + "-b", "master", "bridge0")
    for name in ("device", "device-b", "others", "others-b", "bridge0"):
        run("sysctl", "-q", "-w", f"net.ipv6.conf.{name}.disable_ipv6=1")
        run("ip", "link", "set", name, "up")
    while not all(is_forwarding(side + "-b") for side in ("device", "others")):
        time.sleep(0.01)
    run("nft", "-f", rules)
    run("nft", "-f", "-", text=COUNTERS.format(mac=mac))


def is_forwarding(name):
    link = json.loads(subprocess.check_output(["ip", "-json", "-details", "link", "show", "dev", name]))[0]
    return link["operstate"] == "UP" and link["linkinfo"]["info_slave_data"]["state"] == "forwarding"


def frames(path):
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rb") as capture:
        magic = capture.read(4)
        order = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<"}.get(magic, ">")
        capture.read(20)
        while header := capture.read(16):
            _, _, kept, _ = struct.unpack(order + "IIII", header)
            yield capture.read(kept)


def whole(frame):
    """The frame with zeros for what the capture did not keep."""
    start = 18 if frame[12:14] == b"\x81\x00" else 14
    kind, head, length = frame[start - 2:start], frame[start:start + 6], 0
    if kind == b"\x08\x00" and len(head) == 6:
        length = start + struct.unpack(">H", head[2:4])[0]
    elif kind == b"\x86\xdd" and len(head) == 6:
        length = start + 40 + struct.unpack(">H", head[4:6])[0]
    return frame.ljust(max(length, 60), b"\0")


def port(name):
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    raw.bind((name, 0))
    raw.settimeout(0.05)
    return raw


class Bridge:
    def __init__(self, mac):
        self.mac = bytes.fromhex(mac.replace(":", ""))
        self.device, self.others = port("device"), port("others")
        self.sent = 0

    def side(self, frame):
        if frame[6:12] == self.mac:
            return self.device
        return self.others if frame[0:6] == self.mac else None

    def send(self, frame):
        side = self.side(frame)
        if side:
            side.send(whole(frame))
            self.sent += 1

    def passes(self, frame):
        """Whether a frame comes out; slow, and only right where nothing else is sent."""
        other = self.others if self.side(frame) is self.device else self.device
        other.setblocking(False)
        try:
            while other.recv(65535):
                pass
        except BlockingIOError:
            other.settimeout(0.05)
        self.send(frame)
        try:
            return bool(other.recv(65535))
        except TimeoutError:
            return False


def counts():
    listed = json.loads(subprocess.check_output(["nft", "-j", "list", "ruleset", "bridge"]))
    found = {}
    for item in listed["nftables"]:
        rule = item.get("rule", {})
        if rule.get("table") in ("seen", "passed"):
            counter = next(part["counter"] for part in rule["expr"] if "counter" in part)
            found[f"{rule['table']}_{rule['comment']}"] = counter["packets"]
    return found


def ipv4(source, destination, protocol, payload):
    def head(checksum):
        return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, checksum,
                           socket.inet_aton(source), socket.inet_aton(destination))

    total = sum(struct.unpack(">10H", head(0)))
    total = (total & 0xFFFF) + (total >> 16)
    return b"\x08\x00" + head(0xFFFF - total) + payload


def strangers(mac, own):
    """What a stolen device and somebody outside would send: TCP, UDP, ICMP, and answers that nobody asked for."""
    def segment(source, destination, flags):
        return struct.pack(">HHIIBBHHH", source, destination, 1, 0, 0x50, flags, 1024, 0, 0)

    def datagram(source, destination):
        return struct.pack(">HHHH", source, destination, 12, 0) + b"call"

    to, away = mac + STRANGER_MAC, STRANGER_MAC + mac
    yield to + ipv4(STRANGER, own, 6, segment(40000, 23, 0x02))
    yield to + ipv4(STRANGER, own, 6, segment(4444, 40000, 0x12))
    yield to + ipv4(STRANGER, own, 17, datagram(4444, 40000))
    yield away + ipv4(own, STRANGER, 6, segment(40000, 4444, 0x02))
    yield away + ipv4(own, STRANGER, 17, datagram(40000, 900))
    yield away + ipv4(own, STRANGER, 1, bytes([8, 0, 0, 0, 0, 1, 0, 1]))


def main():
    words = [word for word in sys.argv[1:] if word != "--show"]
    rules, mac, captures = words[0], words[1], words[2:]
    build_bridge(rules, mac)
    bridge = Bridge(mac)
    own, dropped = "192.168.1.2", []
    for frame in (frame for path in captures for frame in frames(path) if bridge.side(frame)):
        if frame[6:12] == bridge.mac and frame[12:14] == b"\x08\x00" and frame[26:30] != bytes(4):
            own = socket.inet_ntoa(frame[26:30])
        if "--show" not in sys.argv:
            bridge.send(frame)
        elif not bridge.passes(frame):
            dropped.append(frame[:74].hex())
    result = counts() | {"sent": bridge.sent}
    for frame in strangers(bridge.mac, own):
        bridge.send(frame)
    after = counts()
    result |= {f"strangers_{name}": after[name] - result[name] for name in after}
    if "--show" in sys.argv:
        result["dropped"] = dropped
    print(json.dumps(result))


main()
