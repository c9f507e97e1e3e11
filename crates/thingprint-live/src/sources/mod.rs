//! The kinds of sources, one file each.

mod client;
mod file;
mod folder;
mod interface;
mod server;
mod stdin;

pub use client::ClientSpec;
pub use file::FileSpec;
pub use folder::FolderSpec;
pub use interface::InterfaceSpec;
pub use server::ServerSpec;
pub use stdin::StdinSpec;
