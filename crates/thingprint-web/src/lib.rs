//! The page and the JSON of a live reading.
