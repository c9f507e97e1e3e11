-- Times are nanoseconds since 1970-01-01 00:00 UTC. The views at the end show them as text.
CREATE TABLE recipes (
    id INTEGER PRIMARY KEY,
    recipe TEXT NOT NULL UNIQUE,
    evidence TEXT NOT NULL
);
CREATE TABLE devices (
    device TEXT NOT NULL PRIMARY KEY,
    gateway TEXT,
    is_randomised INTEGER NOT NULL DEFAULT 0,
    addresses TEXT NOT NULL DEFAULT '[]',
    host_name TEXT,
    vendor_class TEXT,
    names TEXT NOT NULL DEFAULT '[]',
    server_ports TEXT NOT NULL DEFAULT '[]',
    served_ports TEXT NOT NULL DEFAULT '[]',
    services TEXT NOT NULL DEFAULT '[]',
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    packets_up INTEGER NOT NULL DEFAULT 0,
    packets_down INTEGER NOT NULL DEFAULT 0,
    windows INTEGER NOT NULL DEFAULT 0,
    is_muted INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE addresses (
    device TEXT NOT NULL,
    address TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (device, address)
) WITHOUT ROWID;
CREATE INDEX addresses_by_address ON addresses (address);
CREATE TABLE host_names (
    device TEXT NOT NULL,
    host_name TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (device, host_name)
) WITHOUT ROWID;
CREATE TABLE windows (
    id INTEGER PRIMARY KEY,
    device TEXT NOT NULL,
    window_start INTEGER NOT NULL,
    part INTEGER NOT NULL,
    window_s REAL NOT NULL,
    is_cut INTEGER NOT NULL,
    packets_up INTEGER NOT NULL,
    packets_down INTEGER NOT NULL,
    bytes_up INTEGER NOT NULL,
    bytes_down INTEGER NOT NULL,
    flows INTEGER NOT NULL,
    sleep_time_s REAL,
    class TEXT,
    best_guess TEXT,
    confidence REAL,
    likeness REAL,
    reason TEXT,
    distribution BLOB,
    recipe INTEGER REFERENCES recipes (id),
    instance BLOB,
    UNIQUE (device, window_start, part)
);
CREATE INDEX windows_by_time ON windows (window_start);
CREATE TRIGGER windows_added AFTER INSERT ON windows BEGIN
    UPDATE devices SET windows = windows + 1 WHERE device = new.device;
END;
CREATE TRIGGER windows_removed AFTER DELETE ON windows BEGIN
    UPDATE devices SET windows = windows - 1 WHERE device = old.device;
END;
CREATE TABLE provisional (
    device TEXT NOT NULL PRIMARY KEY,
    window_start INTEGER NOT NULL,
    part INTEGER NOT NULL,
    window_s REAL NOT NULL,
    is_cut INTEGER NOT NULL,
    packets_up INTEGER NOT NULL,
    packets_down INTEGER NOT NULL,
    bytes_up INTEGER NOT NULL,
    bytes_down INTEGER NOT NULL,
    flows INTEGER NOT NULL,
    sleep_time_s REAL,
    class TEXT,
    best_guess TEXT,
    confidence REAL,
    likeness REAL,
    reason TEXT,
    provisional_after_s REAL
);
CREATE TABLE verdicts (
    device TEXT NOT NULL PRIMARY KEY,
    class TEXT,
    best_guess TEXT NOT NULL,
    confidence REAL NOT NULL,
    likeness REAL,
    reason TEXT,
    family TEXT,
    windows INTEGER NOT NULL,
    since INTEGER NOT NULL
);
CREATE TABLE changes (
    id INTEGER PRIMARY KEY,
    device TEXT NOT NULL,
    at INTEGER NOT NULL,
    from_class TEXT,
    to_class TEXT,
    confidence REAL NOT NULL,
    UNIQUE (device, at)
);
CREATE TABLE findings (
    id INTEGER PRIMARY KEY,
    device TEXT NOT NULL,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    said_by TEXT NOT NULL,
    flows INTEGER NOT NULL,
    seen TEXT NOT NULL,
    expected TEXT NOT NULL,
    reference TEXT NOT NULL,
    remediation TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    example TEXT NOT NULL,
    acknowledged_at INTEGER,
    UNIQUE (device, rule, said_by, seen)
);
CREATE INDEX findings_open ON findings (device, severity) WHERE acknowledged_at IS NULL;
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    severity TEXT NOT NULL,
    device TEXT,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    evidence TEXT NOT NULL,
    times INTEGER NOT NULL,
    acknowledged_at INTEGER
);
CREATE INDEX events_by_device ON events (device, id);
CREATE INDEX events_by_kind ON events (kind, id);
CREATE INDEX events_by_time ON events (at);
CREATE INDEX events_open ON events (device, kind) WHERE acknowledged_at IS NULL;
CREATE TABLE labels (
    device TEXT NOT NULL PRIMARY KEY,
    label TEXT NOT NULL,
    at INTEGER NOT NULL
);
CREATE TABLE state (
    name TEXT NOT NULL,
    device TEXT NOT NULL DEFAULT '',
    value BLOB NOT NULL,
    PRIMARY KEY (name, device)
);
CREATE VIEW device_list AS
    SELECT d.device, l.label, v.class, v.confidence, d.host_name, d.addresses, d.windows,
        datetime(d.first_seen / 1000000000, 'unixepoch') AS first_seen,
        datetime(d.last_seen / 1000000000, 'unixepoch') AS last_seen
    FROM devices d LEFT JOIN labels l USING (device) LEFT JOIN verdicts v USING (device);
CREATE VIEW window_list AS
    SELECT device, datetime(window_start / 1000000000, 'unixepoch') AS window_start, part, is_cut, class,
        best_guess, confidence, packets_up, packets_down, bytes_up, bytes_down, flows
    FROM windows;
CREATE VIEW event_list AS
    SELECT id, datetime(at / 1000000000, 'unixepoch') AS at, kind, severity, device, subject, text, times,
        datetime(acknowledged_at / 1000000000, 'unixepoch') AS acknowledged_at
    FROM events;
