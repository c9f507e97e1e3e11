//! Integration tests of the command.
