-- Who a device is by what it says of itself, and what of that does not fit its class: JSON; NULL where it said nothing.
ALTER TABLE devices ADD COLUMN identity TEXT;
