//! Live sources of frames: interfaces, streams, servers of captures, folders of rotated captures.
